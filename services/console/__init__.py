"""The web console, bound to this application."""
