"""Choreographed sagas on Kafka: exactly once, tracked, explained."""
