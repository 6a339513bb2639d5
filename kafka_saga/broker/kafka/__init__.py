"""The real Kafka behind the port, by confluent-kafka (librdkafka)."""

from kafka_saga.broker.kafka.cluster import KafkaCluster

__all__ = ["KafkaCluster"]
