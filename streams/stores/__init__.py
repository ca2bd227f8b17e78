"""Stores that write outputs, operator state and position in one transaction."""
