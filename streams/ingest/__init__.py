"""Bytes from outside turned into readings."""
