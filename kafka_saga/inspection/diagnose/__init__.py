"""Finds what holds a saga up: absent services, lag, pauses, undecided transactions."""
