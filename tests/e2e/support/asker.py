"""`python -m tests.e2e.support.asker HOST:PORT`: asks what groups have committed until its input ends."""

from __future__ import annotations

import sys
import threading
from concurrent.futures import ThreadPoolExecutor

from kafka_saga.broker.records import TopicPartition
from kafka_saga.errors import UnavailableError
from kafka_saga.inspection.log.groups import KafkaGroups

GROUPS = [f"nobody-{number}" for number in range(16)]
PATIENCE = 2.0


def main() -> None:
    """Print for each round how many of the groups were told of."""
    groups = KafkaGroups({"bootstrap.servers": sys.argv[1]}, PATIENCE)
    input_ends = threading.Thread(target=sys.stdin.read, daemon=True)
    input_ends.start()
    with ThreadPoolExecutor(len(GROUPS)) as asking:
        while input_ends.is_alive():
            told = sum(asking.map(lambda group: is_told(groups, group), GROUPS))
            sys.stdout.write(f"{told}\n")
            sys.stdout.flush()


def is_told(groups: KafkaGroups, group: str) -> bool:
    """Whether Kafka says what a group has committed."""
    try:
        groups.committed(group, [TopicPartition("anything", 0)])
    except UnavailableError:
        return False
    return True


if __name__ == "__main__":
    main()
