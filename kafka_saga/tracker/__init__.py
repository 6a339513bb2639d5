"""Follows every saga by its events, and keeps one correlated view of each."""
