"""Reads what lies on the log: states, events, dead letters, consumer groups."""
