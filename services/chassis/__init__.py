"""What every service is built on: exactly-once consumption, out-of-order commits, handlers, health."""
