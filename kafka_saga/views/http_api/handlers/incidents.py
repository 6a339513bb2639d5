"""What waits for a person: open incidents, and dead letters, which can be published again."""

from __future__ import annotations

from kafka_saga.api.incidents import (
    DeadLetter,
    DeadLetterPage,
    IncidentItem,
    IncidentPage,
    Origin,
    Redriven,
    RedriveRequest,
)
from kafka_saga.broker.partitioner import partition_of
from kafka_saga.definition.topics import DEAD_LETTERS
from kafka_saga.inspection.commands.redriving import put_back
from kafka_saga.inspection.log.dead_letters import DeadLetter as Letter
from kafka_saga.inspection.log.dead_letters import dead_letters, letters_in
from kafka_saga.inspection.log.decoding import as_base64, as_text, header_texts
from kafka_saga.inspection.log.reading import NotFoundError, partition_count
from kafka_saga.inspection.log.times import iso, stamp
from kafka_saga.views.http_api.cursors import cursor_text, place_of
from kafka_saga.views.http_api.dependencies import Dependencies
from kafka_saga.views.http_api.params import IncidentListParams, LetterListParams
from kafka_saga.views.http_api.problems import ApiError
from kafka_saga.views.http_api.routes import Call, Reply
from kafka_saga.views.port import After, IncidentQuery, OpenIncident
from kafka_saga.wire.ids import key_of

_INCIDENTS, _LETTERS = "incidents", "dead-letters"


async def list_incidents(api: Dependencies, call: Call) -> Reply:
    """A page of the open incidents."""
    asked = call.asked(IncidentListParams)
    query = IncidentQuery(
        definition=asked.definition,
        step=asked.step,
        key_prefix=asked.key_prefix or "",
        limit=asked.limit,
        after=place_of(_INCIDENTS, asked.cursor),
    )
    page = await api.tables.incidents(query)
    items = tuple(_incident(one, api.clock()) for one in page.incidents)
    next_ = cursor_text(_INCIDENTS, page.next)
    return Reply(IncidentPage(items=items, next=next_, total=page.total, behind_s=page.behind_s))


async def list_letters(api: Dependencies, call: Call) -> Reply:
    """A page of the dead letters, the latest first."""
    asked = call.asked(LetterListParams)
    after = place_of(_LETTERS, asked.cursor)
    found = await api.reading(_letters, api, asked.saga_id)
    left = [one for one in found if after is None or _order(one) < (after.value, after.id)]
    page = left[: asked.limit]
    last = After(*_order(page[-1])) if len(left) > len(page) else None
    items = tuple(letter_facts(one) for one in page)
    return Reply(DeadLetterPage(items=items, next=cursor_text(_LETTERS, last), total=len(found)))


async def redrive_letter(api: Dependencies, call: Call) -> Reply:
    """Publish a dead letter again."""
    given = call.given(RedriveRequest)
    number, offset = _digits(call.path["partition"]), _digits(call.path["offset"])

    def publish() -> Redriven:
        letter = _letter_at(api, number, offset)
        if letter.redriven_at is not None and not given.again:
            raise ApiError(409, f"It was redriven at {stamp(letter.redriven_at)}: say `again` to do it once more.")
        (done,) = put_back(api.cluster(), [letter], given.author, given.reason)
        if done.problem or letter.origin is None:
            raise ApiError(409, f"The dead letter at {letter.place} was not published again: {done.problem}.")
        return Redriven(id=_id(letter), topic=letter.origin.topic, partition=letter.origin.partition)

    return Reply(await api.blocking(publish))


def letter_facts(letter: Letter) -> DeadLetter:
    """A dead letter as clients get it."""
    texts = header_texts(letter.record)
    return DeadLetter(
        id=_id(letter),
        partition=letter.record.partition,
        offset=letter.record.offset,
        original=Origin(
            topic=texts.get("dlq_topic"),
            partition=letter.origin.partition if letter.origin else None,
            offset=_number(texts.get("dlq_offset")),
        ),
        reason=letter.reason,
        code=letter.code,
        service=letter.service,
        at=stamp(letter.record.timestamp),
        saga_id=texts.get("ce_subject"),
        step=texts.get("ce_step"),
        headers={name: texts[name] for name, _ in letter.headers},
        text=None if letter.record.value is None else as_text(letter.record.value),
        raw=as_base64(letter.record.value),
        redriven_at=iso(letter.redriven_at),
    )


def _incident(one: OpenIncident, now: int) -> IncidentItem:
    incident = one.incident
    return IncidentItem(
        id=incident.id,
        saga_id=one.saga_id,
        definition=one.definition,
        status=one.status,
        kind=incident.kind,
        step=incident.step,
        reason=incident.reason,
        at=iso(incident.at),
        commands=incident.commands,
        key=key_of(one.saga_id),
        age_ms=max(0, now - incident.at),
    )


def _letters(api: Dependencies, saga_id: str | None) -> list[Letter]:
    """The latest first; those of one saga lie in its key's partition."""
    cluster = api.cluster()
    if saga_id is None:
        found = dead_letters(cluster)
    else:
        key = key_of(saga_id).encode(errors="replace")
        in_partition = letters_in(cluster, [partition_of(key, partition_count(cluster, DEAD_LETTERS))])
        found = [one for one in in_partition if header_texts(one.record).get("ce_subject") == saga_id]
    return sorted(found, key=_order, reverse=True)


def _letter_at(api: Dependencies, number: int, offset: int) -> Letter:
    cluster = api.cluster()
    if number < partition_count(cluster, DEAD_LETTERS):
        for letter in letters_in(cluster, [number]):
            if letter.record.offset == offset:
                return letter
    raise NotFoundError(f"No dead letter lies at {number}/{offset}: /api/v1/dead-letters lists them.")


def _order(letter: Letter) -> tuple[int, str]:
    record = letter.record
    return record.timestamp, f"{record.partition:06}/{record.offset:019}"


def _id(letter: Letter) -> str:
    return f"{DEAD_LETTERS}/{letter.place}"


def _digits(text: str) -> int:
    number = _number(text)
    if number is None or number >= 2**63:
        raise NotFoundError(f"{text!r} is no partition or offset: /api/v1/dead-letters lists what there is.")
    return number


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and text.isascii() and text.isdecimal() and len(text) < 20 else None
