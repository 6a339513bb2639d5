"""Faust, as the tables need it: what it reads, when it commits, and where it keeps values (docs/decisions/0013)."""
