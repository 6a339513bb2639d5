"""The events and documents of code review, with their Avro schemas."""
