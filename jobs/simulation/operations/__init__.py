"""A made-up site at work, with operational faults on request: what machines and people do wrong, not what meters do."""
