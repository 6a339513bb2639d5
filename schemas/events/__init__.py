"""The events of code review."""
