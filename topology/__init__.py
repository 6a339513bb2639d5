"""The saga definitions of the application."""
