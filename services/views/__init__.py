"""The views and their HTTP API, bound to this application."""
