"""The ast service: what the changed files define, before and after, and how complex it is."""
