"""Commands to sagas: which apply, to which sagas, and how they are given."""
