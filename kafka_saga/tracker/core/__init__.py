"""The tracker's pure core: facts in, state and decisions out. No I/O, no clock, no randomness."""
