"""The pages: each asks the API, and gives what it says to a template."""
