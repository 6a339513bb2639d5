"""What an event is, and the events of the framework itself: commands, reports, the lifecycle of sagas."""
