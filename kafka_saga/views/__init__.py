"""The tracker's tables, and the HTTP API that answers from them."""
