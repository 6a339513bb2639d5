"""What each route answers with."""
