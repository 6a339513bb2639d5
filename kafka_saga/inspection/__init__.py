"""What the command line and the HTTP API share: reading sagas, explaining them, and giving commands to them."""
