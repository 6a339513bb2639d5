"""A strict reader of unified diffs: what git, GNU diff and their relatives print."""
