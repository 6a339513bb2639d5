"""What follows what, as pure data: the definition model, its linter, topics and diagrams."""
