"""Where the content of a pull request comes from: a git repository, or an inline unified diff."""
