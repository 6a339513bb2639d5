"""Which records of a partition are done, and how that is told to the next owner.

Records finish out of order. The committed offset is the lowest unfinished one, else `next`; its metadata holds
`next` (one past the highest delivered offset) and the unfinished offsets below it. All else below `next` is done.
Transaction markers leave gaps in offsets, so nothing here ever counts upwards.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from kafka_saga.broker.records import Committed, TopicPartition

MAX_UNFINISHED = 400
"""The most unfinished records of a partition: keeps the metadata under 3,500 bytes, Kafka's limit is 4,096."""

MAX_ENDED = 1_000
"""The same where every record ends as it is taken in: nothing is ever listed."""

CRASH_BITS = 2
"""A listed offset carries its crash count, 0 to 3."""


NOTHING: Mapping[int, int] = MappingProxyType({})


class OffsetTracker:
    """The delivered records of one partition that are not committed as done yet.

    After an unclean takeover (`is_clean` false) the process before may have died of any of its own: what is listed,
    and of what lies above `next` as much as it can have taken in. These are suspected until they are accused, which
    raises their crash count. `is_worked_on`: whether what is committed says so; `is_ours`: whether we have said it.
    """

    __slots__ = (
        "_awaited", "_done", "_ended", "_most", "_open", "_room", "_suspected", "_within", "ended", "is_ours",
        "is_worked_on", "next",
    )  # fmt: skip

    def __init__(
        self,
        start: int | None = None,
        unfinished: Mapping[int, int] = NOTHING,
        *,
        is_clean: bool = True,
        room: int = MAX_UNFINISHED,
    ) -> None:
        self.next = start
        self._open: dict[int, int] = {offset: unfinished[offset] for offset in sorted(unfinished)}
        self._ended: set[int] = set()
        self.ended = 0
        self._awaited = set(self._open)
        self._suspected = set() if is_clean else set(self._open)
        self._within = 0
        self._done = -1 if start is None else start - 1
        self._room = room
        self._most = room
        self.is_worked_on = not is_clean
        self.is_ours = False

    @classmethod
    def restored(cls, committed: Committed | None, room: int = MAX_UNFINISHED) -> OffsetTracker:
        """The tracker that a group's committed offset and metadata describe; of a foreign one the offset counts."""
        if committed is None:
            return cls(room=room)
        position = decode(committed)
        return cls(position.next, position.unfinished, is_clean=position.clean, room=room)

    def suspect_below(self, end: int) -> None:
        """What lies below `end` was there when the partition was taken over, perhaps uncleanly."""
        if self.is_worked_on and not self.is_ours:
            self._within = end

    def deliver(self, offset: int) -> bool:
        """Take note of a record; whether it has to be worked on (false: done before, or known already)."""
        if self.next is not None and offset < self.next:
            if offset not in self._awaited:
                return False
            self._awaited.discard(offset)
            return True
        if self._awaited:
            self._forget_expired()
        if offset < self._within:
            self._suspect(offset)
        self.next = offset + 1
        self._open[offset] = 0
        return True

    def is_unfinished(self, offset: int) -> bool:
        """Whether work on this offset is still wanted: nothing committed, at or above `next`, or listed."""
        return self.next is None or offset >= self.next or offset in self._open

    def has(self, offset: int) -> bool:
        """Whether this record has been delivered here and is not committed as done."""
        return offset in self._open and offset not in self._awaited

    def may_start(self, offset: int) -> bool:
        """Whether work on a record may start: the log says that there is work, and has its crash count."""
        return self.is_worked_on and offset not in self._suspected

    def crashes(self, offset: int) -> int:
        """The crash count that a suspect starts with; 0 if it is none."""
        return self._open[offset] + 1 if offset in self._suspected else 0

    def accuse(self, offset: int) -> None:
        """Raise a suspect's crash count; to be committed before it starts."""
        if offset in self._suspected:
            self._suspected.discard(offset)
            self._open[offset] += 1

    def acquit(self, offset: int) -> None:
        """Work on it goes on here: nobody has died of it."""
        self._suspected.discard(offset)

    def note_committed(self) -> None:
        """What we have committed says that we work on this."""
        self.is_worked_on = self.is_ours = True

    def finish(self, offset: int) -> None:
        """The record's work is done; to be committed. `ended` counts these."""
        self._suspected.discard(offset)
        self._ended.add(offset)
        self.ended += 1

    def settle(self, offset: int) -> None:
        """The record is committed as done."""
        self._ended.discard(offset)
        self._open.pop(offset, None)
        self._done = max(self._done, offset)

    @property
    def is_full(self) -> bool:
        """Whether no further record should be taken in; what is listed has to come again even then."""
        return len(self._open) >= self._room and not self._awaited

    def __len__(self) -> int:
        return len(self._open)

    def committed(self, *, but: Collection[int] = (), clean: bool = False) -> Committed | None:
        """What to commit now, with all ended records done `but` some; none before anything was delivered."""
        if self.next is None:
            return None
        if len(self._open) == len(self._ended) and not but:
            return Committed(self.next, f"1|{_flag(clean)}|{self.next}|")
        left = [offset for offset in self._open if offset not in self._ended or offset in but]
        following, done = self.next, max((self._done, *(offset for offset in self._ended if offset not in but)))
        while left and left[-1] > done and left[-1] in but and not self._open[left[-1]]:
            following = left.pop()  # as good as never delivered: need not be listed
        listed = {offset: self._open[offset] for offset in left}
        return Committed(left[0] if left else following, encode(Position(following, listed, clean)))

    def _suspect(self, offset: int) -> None:
        """No process takes in more than so many between two commits, so its successor need not suspect more."""
        self._suspected.add(offset)
        self._most -= 1
        if not self._most:
            self._within = 0

    def _forget_expired(self) -> None:
        """Records come in order: a listed one that has not come by now has left the topic's retention."""
        for offset in self._awaited:
            del self._open[offset]
            self._suspected.discard(offset)
        self._awaited.clear()


@dataclass(frozen=True, slots=True)
class Position:
    """What committed metadata says: unfinished offsets with their crash counts; `clean` if handed over in order."""

    next: int
    unfinished: Mapping[int, int]
    clean: bool = False


class KnownOffsets:
    """What this process has committed: a group's offsets are never older.

    Unless its coordinator answers before it has read its own log, as after a broker's crash (decision 0005).
    """

    def __init__(self) -> None:
        self._last: dict[TopicPartition, Committed] = {}

    def note(self, offsets: Mapping[TopicPartition, Committed]) -> None:
        """These are committed."""
        self._last.update(offsets)

    def is_ahead_of(self, found: Mapping[TopicPartition, Committed]) -> bool:
        """Whether what the group is said to have committed is older."""
        known = {at: self._last[at] for at in found if at in self._last}
        return any(decode(found[at]).next < decode(own).next for at, own in known.items())


def encode(position: Position) -> str:
    """Metadata as text: `1|flag|next|base64(varints of delta and crash count)`."""
    packed = bytes(_packed(position.unfinished))
    return f"1|{_flag(position.clean)}|{position.next}|{base64.b64encode(packed).decode()}"


def decode(committed: Committed) -> Position:
    """The position in committed metadata; if it is not ours, everything from the committed offset on is to do."""
    try:
        version, flag, following, packed = committed.metadata.split("|")
        if version != "1":
            return Position(committed.offset, {})
        unfinished = dict(_unpacked(base64.b64decode(packed, validate=True)))
        return Position(int(following), unfinished, flag == "c")
    except (ValueError, binascii.Error):
        return Position(committed.offset, {})


def _flag(clean: bool) -> str:  # a value, not a mode
    return "c" if clean else "r"


def _packed(unfinished: Mapping[int, int]) -> Iterator[int]:
    before = 0
    for offset in sorted(unfinished):
        yield from _varint((offset - before) << CRASH_BITS | min(unfinished[offset], 3))
        before = offset


def _varint(number: int) -> Iterator[int]:
    while number > 0x7F:
        yield number & 0x7F | 0x80
        number >>= 7
    yield number


def _unpacked(packed: bytes) -> Iterator[tuple[int, int]]:
    number = shift = offset = 0
    for byte in packed:
        number |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            offset += number >> CRASH_BITS
            yield offset, number & (1 << CRASH_BITS) - 1
            number = shift = 0
    if shift:
        raise ValueError("the last varint is cut off")
