"""The tables of all workers as one: a key is asked of its owner, a list of all at once, and no part may be missing."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Mapping
from contextlib import suppress
from typing import TypeVar

import msgspec

from kafka_saga.api.health import Health, HealthStatus, Worker
from kafka_saga.api.topology import FiguresReport, StepFigures
from kafka_saga.views.answers import Answers, FiguresPart, KeyPart
from kafka_saga.views.feed import Ear, Feed
from kafka_saga.views.listing import incident_page_of, page_of
from kafka_saga.views.peers import (
    BEAT,
    FIGURES,
    INCIDENTS,
    OF_KEY,
    SAGAS,
    STANDING,
    Nothing,
    OfKey,
    PeerError,
    Peers,
    Question,
    Said,
    said,
)
from kafka_saga.views.port import (
    Change,
    IncidentPage,
    IncidentPart,
    IncidentQuery,
    KeySagas,
    Lagging,
    Missed,
    OwnerGoneError,
    RestoringError,
    SagaPage,
    SagaQuery,
    TablePart,
)
from kafka_saga.views.statistics import merged

T = TypeVar("T")

SOON = 2.0
"""Seconds until a restore is asked after again."""


class GatheredTables:
    """See `kafka_saga.views.port.Tables`. `session_timeout`: seconds until a dead worker's partitions are another's."""

    def __init__(self, answers: Answers, feed: Feed, peers: Peers, session_timeout: float) -> None:
        self._answers = answers
        self._feed = feed
        self._peers = peers
        self._session_timeout = session_timeout

    async def sagas(self, query: SagaQuery) -> SagaPage:
        """As `Tables.sagas`."""
        parts = [_part(one, TablePart) for one in await self._of_all(SAGAS, query)]
        return page_of(parts, query)

    async def of_key(self, key: str) -> KeySagas:
        """As `Tables.of_key`."""
        number = self._answers.partition_of(key)
        owner = self._owners().get(number)
        if owner is None:
            raise RestoringError(f"partition {number} of the tables is being given to a worker", SOON)
        one = await self._of(owner, number, OF_KEY, OfKey(key))
        if number not in one.partitions:
            raise RestoringError(f"partition {number} of the tables is being restored by the worker at {owner}", SOON)
        return KeySagas(_part(one, KeyPart).states(), one.behind_s)

    async def incidents(self, query: IncidentQuery) -> IncidentPage:
        """As `Tables.incidents`."""
        parts = [_part(one, IncidentPart) for one in await self._of_all(INCIDENTS, query)]
        return incident_page_of(parts, query)

    async def figures(self) -> FiguresReport:
        """As `Tables.figures`."""
        all_said = await self._of_all(FIGURES, Nothing())
        parts = [_part(one, FiguresPart) for one in all_said]
        definitions: dict[str, Counter[str]] = {}
        for part in parts:
            for definition, counts in part.counts.items():
                definitions.setdefault(definition, Counter()).update(counts)
        steps = merged(tally for part in parts for tally in part.tallies)
        return FiguresReport(
            counts=dict(sum(definitions.values(), Counter())),
            definitions={name: dict(counts) for name, counts in definitions.items()},
            incidents=sum(part.incidents for part in parts),
            steps=tuple(
                StepFigures(definition=definition, step=step, windows=windows)
                for (definition, step), windows in steps.items()
            ),
            behind_s=_worst(all_said),
        )

    async def health(self) -> Health:
        """As `Tables.health`."""
        owners = self._owners()
        urls = sorted({self._answers.url, *owners.values()})
        found = await asyncio.gather(*(self._asked(url, STANDING, Nothing()) for url in urls), return_exceptions=True)
        workers, reasons, held = [], [], set[int]()
        for url, one in zip(urls, found, strict=True):
            if isinstance(one, BaseException):
                lost = tuple(sorted(number for number, owner in owners.items() if owner == url))
                workers.append(Worker(url=url, partitions=lost, behind_s=0, status=HealthStatus.PARTIAL))
                reasons.append(f"{one}; partitions {_numbers(lost)} cannot be asked after until another has them")
                continue
            held.update(one.partitions)
            given = {number for number, owner in owners.items() if owner == url}
            status = HealthStatus.READY if given and given <= {*one.partitions} else HealthStatus.RESTORING
            workers.append(Worker(url=url, partitions=one.partitions, behind_s=one.behind_s, status=status))
            reasons.extend(f"{url}: {complaint}" for complaint in one.complaints)
        missing = sorted({*range(self._answers.partitions)} - held)
        if missing and not any(isinstance(one, BaseException) for one in found):
            reasons.append(f"partitions {_numbers(missing)} of the tables are being restored")
        behind = max((worker.behind_s for worker in workers), default=0.0)
        return Health(status=_status(missing, workers), workers=tuple(workers), reasons=tuple(reasons), behind_s=behind)

    async def changes(self, saga_id: str | None = None) -> AsyncGenerator[Change, None]:
        """As `Tables.changes`."""
        ear, lags = Ear(saga_id), dict[str, float]()
        listeners: dict[str, asyncio.Task[None]] = {}
        loop = asyncio.get_running_loop()
        known, beat = dict(self._owners()), loop.time() + BEAT
        with self._feed.listening(ear):
            try:
                while True:
                    self._follow(known, listeners, ear, lags, saga_id)
                    change = await ear.hear(max(0.0, beat - loop.time()))
                    if change is not None:
                        yield change
                    if loop.time() >= beat:
                        beat = loop.time() + BEAT
                        yield Lagging(max((self._answers.behind_s, *lags.values())))
                        if (owners := dict(self._owners())) != known:
                            known = owners
                            yield Missed("the workers have shared out the partitions anew")
            finally:
                for task in listeners.values():
                    task.cancel()
                await asyncio.gather(*listeners.values(), return_exceptions=True)

    # ---- inside

    def _owners(self) -> Mapping[int, str]:
        return self._answers.standing.owners

    def _follow(
        self,
        owners: Mapping[int, str],
        listeners: dict[str, asyncio.Task[None]],
        ear: Ear,
        lags: dict[str, float],
        saga_id: str | None,
    ) -> None:
        """Listen to every other worker, and to none that is not one any more."""
        wanted = {*owners.values()} - {self._answers.url}
        for url in wanted - listeners.keys():
            listeners[url] = asyncio.ensure_future(self._listen(url, saga_id, ear, lags))
        for url in listeners.keys() - wanted:
            listeners.pop(url).cancel()
            lags.pop(url, None)

    async def _listen(self, url: str, saga_id: str | None, ear: Ear, lags: dict[str, float]) -> None:
        """Pass on what another worker tells, for ever; if it breaks off, say so and try again."""
        while True:
            with suppress(PeerError):
                async for change in self._peers.listen(url, saga_id):
                    if isinstance(change, Lagging):
                        lags[url] = change.behind_s
                    else:
                        ear.tell(change)
            ear.tell(Missed(f"the worker at {url} is not heard for a while"))
            await asyncio.sleep(BEAT)

    async def _of_all(self, kind: Question, question: object) -> list[Said]:
        """What every worker says. Raises OwnerGoneError or RestoringError if a partition is missing."""
        owners = self._owners()
        if unowned := sorted({*range(self._answers.partitions)} - owners.keys()):
            raise RestoringError(f"partitions {_numbers(unowned)} of the tables are being given to workers", SOON)
        first = {url: number for number, url in sorted(owners.items(), reverse=True)}
        found = await asyncio.gather(*(self._of(url, first[url], kind, question) for url in first))
        spoken = Counter(number for one in found for number in one.partitions)
        missing = sorted({*range(self._answers.partitions)} - spoken.keys())
        if missing:
            raise RestoringError(f"partitions {_numbers(missing)} of the tables are being restored", SOON)
        if twice := [number for number, times in spoken.items() if times > 1]:
            raise RestoringError(f"partitions {_numbers(sorted(twice))} are on their way to another worker", SOON)
        return list(found)

    async def _of(self, url: str, partition: int, kind: Question, question: object) -> Said:
        try:
            return await self._asked(url, kind, question)
        except PeerError as error:
            raise OwnerGoneError(partition, self._session_timeout, str(error)) from error

    async def _asked(self, url: str, kind: Question, question: object) -> Said:
        if url == self._answers.url:
            return said(self._answers, kind, question)
        return await self._peers.ask(url, kind, question)


def _part(one: Said, kind: type[T]) -> T:
    return msgspec.json.decode(bytes(one.answer), type=kind)


def _worst(all_said: list[Said]) -> float:
    return max((one.behind_s for one in all_said), default=0.0)


def _numbers(partitions: object) -> str:
    return ", ".join(map(str, partitions)) if isinstance(partitions, list | tuple) and partitions else "(none)"


def _status(missing: list[int], workers: list[Worker]) -> HealthStatus:
    if any(worker.status is HealthStatus.PARTIAL for worker in workers):
        return HealthStatus.PARTIAL
    return HealthStatus.RESTORING if missing else HealthStatus.READY
