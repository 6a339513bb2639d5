"""The HTTP API, version 1: answers from the tables (`services.views.port`), from Kafka, and from the blob store."""
