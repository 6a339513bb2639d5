"""The port to Kafka and its two implementations: confluent-kafka, and the log in memory."""
