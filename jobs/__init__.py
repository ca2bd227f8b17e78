"""Batch work on a store, and the `kilowatch` command."""
