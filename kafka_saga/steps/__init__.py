"""What records mean to a service with handlers: triggers, commands, control, outcomes."""
