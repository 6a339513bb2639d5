"""The bare reference: four transactional hops and a tracker that pass bytes on and understand nothing.

`python -m tests.bench.bare hop PREFIX FROM TO` or `python -m tests.bench.bare tracker PREFIX`.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from confluent_kafka import Message

from tests.bench.flat import TRACKED, Produce, Work, forever

STATE = b"s" * 886
"""As long as the encoded state of a finished saga in the lean loop, on average over its life."""

MILESTONE = b"m" * 67
"""As long as the value of a lifecycle event."""


def hop(to: str) -> Work:
    """The work of a step: the same bytes to the next topic."""

    def work(messages: Sequence[Message], produce: Produce) -> None:
        for message in messages:
            produce(to, message.value(), message.key(), message.partition(), headers=message.headers())

    return work


def tracker(prefix: str) -> Work:
    """The work of a tracker: for every key in a batch a state record, for every start and end a milestone."""
    state, lifecycle = prefix + "saga.state", prefix + "saga.lifecycle"
    milestones = {prefix + TRACKED[0]: b"saga.started", prefix + TRACKED[-1]: b"saga.completed"}

    def work(messages: Sequence[Message], produce: Produce) -> None:
        touched: dict[bytes | None, int | None] = {}
        for message in messages:
            key = message.key()
            touched[key] = message.partition()
            if milestone := milestones.get(message.topic() or ""):
                headers = [*list(message.headers() or ())[1:], ("ce_type", milestone)]
                produce(lifecycle, MILESTONE, key, message.partition(), headers=headers)
        for key, partition in touched.items():
            produce(state, STATE, key, partition)

    return work


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["hop", prefix, consumed, emitted]:
            forever(f"{prefix}{emitted}", [prefix + consumed], hop(prefix + emitted))
        case ["tracker", prefix]:
            forever(f"{prefix}tracker", [prefix + event for event in TRACKED], tracker(prefix))
        case _:
            sys.exit(__doc__)
