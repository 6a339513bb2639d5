"""How things look on the terminal: pure functions from values to rich's renderables, and to structs for JSON."""
