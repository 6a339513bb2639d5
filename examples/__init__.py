"""What shows how the system is used in other domains; each example runs in the tests."""
