"""The application on the framework: its definitions, commands, and page."""
