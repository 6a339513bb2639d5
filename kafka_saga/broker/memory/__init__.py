"""Kafka in memory: partitions, groups, transactions, read-committed visibility and compaction, under a virtual clock.

For tests of sagas and for simulation. Single-threaded: nothing here blocks, `timeout` arguments are ignored.
What it does not prove (fencing between real processes, broker failures) the contract suite proves on real Kafka.
"""

from kafka_saga.broker.memory.cluster import MemoryCluster

__all__ = ["MemoryCluster"]
