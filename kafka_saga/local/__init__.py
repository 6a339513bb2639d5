"""The embedded Kafka: a real single-node Apache Kafka without Docker, Java or root."""
