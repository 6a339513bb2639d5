"""The comment step of code review: the review is written to where people read it, once."""
