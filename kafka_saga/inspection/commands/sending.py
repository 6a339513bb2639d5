"""Puts commands on `saga.commands`, and hears on `saga.lifecycle` what the tracker says to them."""

from __future__ import annotations

import getpass
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import islice
from uuid import uuid4

from kafka_saga.broker.port import Admin, Cluster, Producer, Reader
from kafka_saga.broker.records import Headers, Outgoing, Record, TopicPartition
from kafka_saga.definition.topics import SAGA_COMMANDS, SAGA_LIFECYCLE
from kafka_saga.errors import ChoreographyError, DecodeError, UnavailableError
from kafka_saga.events.commands import SagaCommand
from kafka_saga.events.lifecycle import CommandAccepted, CommandRefused
from kafka_saga.wire.codec import Codec
from kafka_saga.wire.control import saga_in
from kafka_saga.wire.envelope import AVRO, MAX_ID_CHARACTERS, rfc3339
from kafka_saga.wire.ids import key_of

CLI, API = "/cli", "/api"
"""Where commands come from: their `ce_source`."""

_REQUEST = ("ce_requestkey", "ce_requestprint", "ce_requestsize")
"""The headers that say of which request a command is."""

_BATCH = 500
_TURN = 0.2

_commands = Codec((SagaCommand,))
_answers = Codec((CommandAccepted, CommandRefused))
_ANSWER_TYPES = {CommandAccepted.event_type.encode(), CommandRefused.event_type.encode()}


class SendingError(ChoreographyError):
    """Commands could not be put on the log; the message says which are there and which are not."""


@dataclass(frozen=True, slots=True)
class Keyed:
    """The request that a command is of: its key, what tells its content from that of others, and its commands' number.

    It travels with each of them, so that whoever reads the log knows what a key was used for.
    """

    key: str
    fingerprint: str
    size: int = 1


@dataclass(frozen=True, slots=True)
class SentCommand:
    """A command with its id, and the partitions it goes to: the saga's, or all; and the request it is of, if known."""

    id: str
    command: SagaCommand
    partitions: tuple[int, ...]
    request: Keyed | None = None

    @property
    def saga_id(self) -> str | None:
        """The saga it is about; none if it is about more than one."""
        return saga_in(self.command.scope)

    @property
    def subject(self) -> str:
        """What it is about, as people say it: a saga's id, or `step order/payment`."""
        return self.saga_id or self.command.scope.replace(":", " ", 1)


class CommandVerdict(StrEnum):
    """What the tracker says to a command."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    SILENT = "not answered yet"


@dataclass(frozen=True, slots=True)
class CommandAnswer:
    """A command and what came of it; `why` it is refused, or what is still open."""

    asked: SentCommand
    verdict: CommandVerdict
    why: str = ""


def new_id() -> str:
    """An id for a command that is given once."""
    return str(uuid4())


def checked_id(text: str) -> str:
    """An id that somebody has chosen. Raises SendingError if it cannot be one."""
    if not 0 < len(text) <= MAX_ID_CHARACTERS or not text.isprintable():
        raise SendingError(f"The id of a command has 1 to {MAX_ID_CHARACTERS} printable characters, not {len(text)}.")
    return text


def os_user() -> str:
    """Who works at this machine."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container's user may have no name
        return "unknown"


def records_of(asked: SentCommand, now: int, source: str = CLI) -> Iterator[Outgoing]:
    """The command's record, once for each partition; `now` is milliseconds UTC."""
    saga_id = asked.saga_id
    key = key_of(saga_id) if saga_id is not None else asked.command.scope
    value, headers = _commands.encode(asked.command), _headers(asked, now, source)
    for number in asked.partitions:
        yield Outgoing(SAGA_COMMANDS, number, key.encode(), value, headers)


def send(cluster: Cluster, asked: Sequence[SentCommand], wait: float, source: str = CLI) -> list[CommandAnswer]:
    """Give all commands, and wait up to `wait` seconds for what the tracker says. Raises SendingError."""
    hearing = Hearing(asked)
    reader = cluster.reader()
    try:
        wanted = sorted({TopicPartition(SAGA_LIFECYCLE, number) for one in asked for number in one.partitions})
        reader.assign(_ends(cluster.admin(), wanted))
        put(cluster, asked, source)
        _listen(reader, hearing, wait)
    finally:
        reader.close()
    return hearing.answers()


@dataclass(slots=True)
class Hearing:
    """What has been heard of some commands; one about more than a saga is answered in each of its partitions."""

    asked: Sequence[SentCommand]
    _open: dict[tuple[str, int], SagaCommand] = field(init=False)
    _refused: dict[str, list[str]] = field(default_factory=dict)
    _accepted: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._open = {(one.id, number): one.command for one in self.asked for number in one.partitions}

    @property
    def is_over(self) -> bool:
        """Whether every command is answered."""
        return not self._open

    def take(self, record: Record) -> None:
        """A record of `saga.lifecycle`; others than answers to these commands are passed over."""
        answer = answer_of(record)
        if answer is None or not _is_to(answer, self._open.get((answer.command_id, record.partition))):
            return
        del self._open[answer.command_id, record.partition]
        match answer:
            case CommandRefused(command_id=identity, why=why):
                self._refused.setdefault(identity, []).append(why)
            case CommandAccepted(command_id=identity):
                self._accepted[identity] += 1

    def answers(self) -> list[CommandAnswer]:
        """What came of each command, in their order."""
        return [self._answer(one) for one in self.asked]

    def _answer(self, one: SentCommand) -> CommandAnswer:
        total, accepted, refused = len(one.partitions), self._accepted[one.id], self._refused.get(one.id, [])
        if refused:
            elsewhere = f" (accepted in {accepted} of {total} partitions)" if accepted else ""
            return CommandAnswer(one, CommandVerdict.REFUSED, f"{refused[0]}{elsewhere}")
        if accepted == total:
            return CommandAnswer(one, CommandVerdict.ACCEPTED)
        return CommandAnswer(
            one, CommandVerdict.SILENT, f"accepted in {accepted} of {total} partitions" if accepted else ""
        )


def _is_to(answer: CommandAccepted | CommandRefused, command: SagaCommand | None) -> bool:
    """Whether this very command is answered: another may have been given under its id, which is refused."""
    if command is None:
        return False
    return (answer.command, answer.author, answer.reason) == (command.command.value, command.author, command.reason)


def answer_of(record: Record) -> CommandAccepted | CommandRefused | None:
    """The tracker's answer in a record of `saga.lifecycle`; none if it is another event."""
    headers = dict(record.headers)
    kind = headers.get("ce_type")
    if kind not in _ANSWER_TYPES:
        return None
    try:
        event = _answers.decode(kind.decode(), record.value)
    except DecodeError:  # written by a newer tracker: for us it has not answered
        return None
    return event if isinstance(event, CommandAccepted | CommandRefused) else None


def _ends(admin: Admin, wanted: Sequence[TopicPartition]) -> Mapping[TopicPartition, int]:
    """Where the answers will begin. Kafka has just answered: one look-up that takes too long is no reason to stop."""
    try:
        return admin.end_offsets(wanted)
    except UnavailableError:
        return admin.end_offsets(wanted)


def put(cluster: Cluster, asked: Sequence[SentCommand], source: str = CLI) -> None:
    """Give all commands, and wait for no answer. Raises SendingError."""
    producer = cluster.producer(f"saga{source.replace('/', '-')}-{uuid4()}")
    now, done = round(time.time() * 1000), 0
    try:
        for batch in _batches(asked):
            _transact(producer, [record for one in batch for record in records_of(one, now, source)], done, len(asked))
            done += len(batch)
    finally:
        producer.close()


def _transact(producer: Producer, records: Sequence[Outgoing], done: int, total: int) -> None:
    try:
        producer.transact(records, {}, None)
    except ChoreographyError as error:
        there = f"{done} of {total} commands are on the log, the others are not" if done else "No command was given"
        raise SendingError(f"{there}: {error}") from None


def _batches(asked: Iterable[SentCommand]) -> Iterator[list[SentCommand]]:
    left = iter(asked)
    while batch := list(islice(left, _BATCH)):
        yield batch


def _listen(reader: Reader, hearing: Hearing, wait: float) -> None:
    until = time.monotonic() + wait
    while not hearing.is_over and time.monotonic() < until:
        for record in reader.poll(_TURN, 1_000):
            hearing.take(record)


def _headers(asked: SentCommand, now: int, source: str) -> Headers:
    headers: Headers = [
        ("ce_specversion", b"1.0"),
        ("ce_id", asked.id.encode()),
        ("ce_type", SagaCommand.event_type.encode()),
        ("ce_source", source.encode()),
        ("ce_time", rfc3339(now).encode()),
        ("content-type", AVRO.encode()),
    ]
    if asked.saga_id is not None:
        headers.append(("ce_subject", asked.saga_id.encode()))
    if (request := asked.request) is not None:
        values = (request.key, request.fingerprint, str(request.size))
        headers += [(name, value.encode()) for name, value in zip(_REQUEST, values, strict=True)]
    return headers


def keyed(record: Record) -> Keyed | None:
    """The request that a record of `saga.commands` is of; none if it does not say."""
    headers = dict(record.headers)
    key, fingerprint, size = ((headers.get(name) or b"").decode(errors="replace") for name in _REQUEST)
    is_said = key and fingerprint and size.isascii() and size.isdecimal() and len(size) < 10
    return Keyed(key, fingerprint, int(size)) if is_said else None
