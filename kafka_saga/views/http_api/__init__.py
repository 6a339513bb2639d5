"""The HTTP API, version 1: answers from the tables (`kafka_saga.views.port`), from Kafka, and from the blob store."""
