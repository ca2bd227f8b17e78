"""The verbs, one file each: pure, columnar, without I/O, clock, randomness or logging."""
