"""Alerts on their way to people and systems: channels, routes, attempts, and the sender that makes them."""
