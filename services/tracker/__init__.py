"""The tracker, bound to the definitions of this application."""
