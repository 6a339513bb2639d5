"""What lies on Kafka, byte by byte: envelope, codec, ids, control entries, and the schemas of events."""
