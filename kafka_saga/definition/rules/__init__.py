"""The rules of the linter, one subject a module; each yields the problems it finds."""
