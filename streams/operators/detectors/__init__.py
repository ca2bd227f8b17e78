"""Domain detectors: each looks at the intervals of some points of a site and says what it sees."""
