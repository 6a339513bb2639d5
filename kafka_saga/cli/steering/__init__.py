"""Commands to sagas: which sagas are meant, how a command is given, and what the tracker says to it."""
