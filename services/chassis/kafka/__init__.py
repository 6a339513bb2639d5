"""The real Kafka behind the port, by confluent-kafka (librdkafka)."""

from services.chassis.kafka.cluster import KafkaCluster

__all__ = ["KafkaCluster"]
