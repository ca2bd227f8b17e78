"""A made-up site: its physics, what its meters would send, what can go wrong, and what is true."""
