"""One run: a Kafka and services of its own, people and blows at once, then calm until every saga is settled."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from kafka_saga.broker.kafka import KafkaCluster
from kafka_saga.definition.topics import TopicFactory, topics_of
from kafka_saga.errors import ChoreographyError
from kafka_saga.local.broker import EmbeddedKafka
from kafka_saga.local.distribution import kafka_distribution
from kafka_saga.local.hanging import abort, find_hanging
from kafka_saga.local.readiness import brokers_at
from kafka_saga.worker.paths import cache_home
from kafka_saga.worker.process import prepare_topics
from tests.chaos.blows import SESSION, blows
from tests.chaos.definitions import DEFINITIONS
from tests.chaos.figures import TRACKER, Figures, Hit, recoveries, signs
from tests.chaos.findings import findings
from tests.chaos.handlers import SERVICES
from tests.chaos.journal import FILE, deeds
from tests.chaos.people import People
from tests.chaos.standing import Standing
from tests.chaos.storm import Storm
from tests.chaos.traffic import traffic
from tests.e2e.support.fleet import Fleet
from tests.e2e.support.observed import Log

PARTITIONS = 4
TURN = 0.05
TELL_EVERY = 10.0
QUIET = 10.0
"""Seconds without any record, after which nothing more is expected of sagas that are settled."""

SETTLE_WITHIN = 240.0
"""Seconds that a run gets to settle: longer than any retry, deadline or settling takes."""

LOOK_AFTER = 75.0
"""Seconds of calm after which it is looked for transactions without an end, if sagas have not settled by then."""

NAMED = ("parcel-reserve-a", "errand-a", "tracker-a")
"""Instances with a name of their own: their membership outlives their process."""

Say = Callable[[str], None]


class UnreadyError(ChoreographyError):
    """The services did not begin to work."""


class Run:
    """A run under `home`, where everything is kept that it leads to."""

    def __init__(self, home: Path, seed: int, minutes: float, rate: float, say: Say) -> None:
        self.home = home
        self._seed = seed
        self._seconds = minutes * 60
        self._rate = rate
        self._say = say
        self._began = time.monotonic()
        self._hanging = 0
        home.mkdir(parents=True, exist_ok=True)
        # what Kafka's clients say of a broker that is gone would drown everything else
        logging.basicConfig(filename=home / "clients.log", level=logging.WARNING, force=True)
        self._diary = (home / "diary.log").open("a", encoding="utf-8", buffering=1)

    def happen(self) -> tuple[Figures, Sequence[str]]:
        """All of it; the figures, and what is not as it must be."""
        kafka = EmbeddedKafka(home=self.home / "kafka", port=0)
        with kafka, Fleet(kafka.bootstrap, self.home, **_environment(self.home)) as fleet:
            make = TopicFactory(PARTITIONS)
            cluster = KafkaCluster({"bootstrap.servers": kafka.bootstrap})
            prepare_topics(cluster.admin(), topics_of(DEFINITIONS, make), DEFINITIONS[0].starts_on.event_type)
            self._start(fleet)
            return self._rage_and_settle(kafka, fleet)

    # ---- the phases

    def _start(self, fleet: Fleet) -> None:
        for service in SERVICES:
            for letter in "ab":
                _start_one(fleet, f"{service}-{letter}", "tests.chaos.service", service)
        for letter in "ab":
            _start_one(fleet, f"{TRACKER}-{letter}", "services.tracker")
        until = time.monotonic() + 90
        while not all(member.said("assigned: partitions") for member in fleet.members.values()):
            if time.monotonic() > until:
                raise UnreadyError(f"the services have got no partitions in 90 s\n{fleet.dump()}")
            fleet.tend()
            time.sleep(TURN)

    def _rage_and_settle(self, kafka: EmbeddedKafka, fleet: Fleet) -> tuple[Figures, Sequence[str]]:
        people = People(kafka.bootstrap, PARTITIONS, traffic(self._seed, self._seconds, self._rate), self._seed)
        storm = Storm(kafka, fleet, blows(self._seed, self._seconds), self._note)
        self._began = time.monotonic()
        try:
            self._rage(people, storm)
            calm = self._now()
            log, standing = self._settle(kafka, people, storm)
            settling = standing.heard_at - calm
        finally:
            storm.close()
            people.close()
        log.close()
        (self.home / "begun.json").write_text(json.dumps(sorted(people.begun)), encoding="utf-8")
        (self.home / "hits.json").write_text(json.dumps(storm.hits), encoding="utf-8")
        figures, wrong = judged(self.home, log, storm.hits, people.begun)
        figures.settling, figures.exits = max(0.0, settling), storm.exits.total()
        figures.commands, figures.hanging = people.commands, self._hanging
        return figures, wrong

    def _rage(self, people: People, storm: Storm) -> None:
        tell_at = TELL_EVERY
        while self._now() < self._seconds or not (people.is_done and storm.is_over):
            self._turn(people, storm)
            if self._now() >= tell_at:
                tell_at += TELL_EVERY
                self._tell(people, storm)
            if self._now() > self._seconds + SETTLE_WITHIN:
                self._note("not everything that was to happen has happened")
                break

    def _settle(self, kafka: EmbeddedKafka, people: People, storm: Storm) -> tuple[Log, Standing]:
        """Read everything from the beginning, and on until nothing more comes and every saga has settled."""
        self._note("calm: nobody is killed any more")
        log, standing = Log(kafka.bootstrap, _topics()), Standing()
        look_at = self._now() + LOOK_AFTER
        until, tell_at = self._now() + SETTLE_WITHIN, self._now() + TELL_EVERY
        while self._now() < until:
            self._turn(people, storm)
            before = {topic: len(records) for topic, records in log.records.items()}
            log.follow()
            for topic, records in log.records.items():
                standing.hear(records[before.get(topic, 0) :], self._now())
            if log.has_caught_up and self._now() - standing.heard_at > QUIET and not standing.unsettled(people.begun):
                break
            if self._now() >= look_at:
                look_at = until
                self._end_hanging(kafka)
            if self._now() >= tell_at:
                tell_at += TELL_EVERY
                self._tell_unsettled(standing.unsettled(people.begun))
        return log, standing

    def _end_hanging(self, kafka: EmbeddedKafka) -> None:
        """What Kafka has left without an end, nobody but a person ends: it is done here, and counted."""
        distribution = kafka_distribution(cache_home())
        for hanging in find_hanging(distribution, kafka.bootstrap, brokers_at(kafka.bootstrap)):
            abort(distribution, kafka.bootstrap, hanging)
            self._hanging += 1
            self._note(f"rolled back a hanging transaction: {hanging}")

    def _turn(self, people: People, storm: Storm) -> None:
        storm.turn(self._now())
        people.turn(self._now(), TURN)

    # ---- telling

    def _now(self) -> float:
        return time.monotonic() - self._began

    def _note(self, text: str) -> None:
        self._diary.write(f"{time.time_ns() // 1_000_000} {self._now():7.1f} {text}\n")

    def _tell(self, people: People, storm: Storm) -> None:
        kills = sum(hit.kind.startswith("kill") for hit in storm.hits)
        started, ended, commands = len(people.begun), people.ended, people.commands["given"]
        self._say(
            f"{self._now():5.0f} of {self._seconds:.0f} s: {started:,} sagas started, {ended:,} ended, "
            f"{commands} commands, {kills} kills, {len(storm.hits) - kills} stops"
        )

    def _tell_unsettled(self, unsettled: Mapping[str, str]) -> None:
        some = "; ".join(f"{saga} {how}" for saga, how in list(unsettled.items())[:3])
        self._say(f"{self._now():5.0f} s: settling, {len(unsettled)} sagas are on their way: {some}")


def judged(home: Path, log: Log, hits: Sequence[Hit], begun: set[str]) -> tuple[Figures, Sequence[str]]:
    """What a finished run comes to, by its topics and by what its handlers wrote down."""
    done = list(deeds(home / "journal"))
    found = findings(log.records, DEFINITIONS, done, begun)
    every = [record for topic in log.records.values() for record in topic]
    figures = Figures(lost=found.lost, doubled=found.doubled, outside=found.outside, records=len(every))
    for hit in hits:
        figures.hits[hit.kind] += 1
    figures.recoveries = recoveries(hits, signs(every, PARTITIONS))
    standing = Standing()
    standing.hear(sorted(every, key=lambda each: (each.partition, each.offset)), 0)
    figures.sagas = standing.counts()
    figures.sagas["started"] = len(begun)
    return figures, found.complaints


def judge_again(home: Path) -> tuple[Figures, Sequence[str], Log]:
    """Read what an earlier run has left under `home`, and judge it."""
    begun = set(json.loads((home / "begun.json").read_text(encoding="utf-8")))
    hits = [Hit(*hit) for hit in json.loads((home / "hits.json").read_text(encoding="utf-8"))]
    with EmbeddedKafka(home=home / "kafka", port=0) as kafka:
        log = read_all(kafka.bootstrap)
    return *judged(home, log, hits, begun), log


def read_all(bootstrap: str) -> Log:
    """Everything that is on the topics now."""
    log = Log(bootstrap, _topics())
    while not log.has_caught_up:
        log.follow()
    log.close()
    return log


def _topics() -> tuple[str, ...]:
    return tuple(spec.name for spec in topics_of(DEFINITIONS, TopicFactory(PARTITIONS)))


def _environment(home: Path) -> dict[str, str]:
    return {
        FILE: str(home / "journal"),
        "SAGA_PARTITIONS": str(PARTITIONS),
        "SAGA_SESSION_TIMEOUT": str(SESSION),
        "SAGA_TRANSACTION_TIMEOUT": "10",
        "SAGA_DRAIN_TIMEOUT": "5",
        "SAGA_PROGRESS_INTERVAL": "1",
        "SAGA_DEFINITIONS": ",".join(f"tests.chaos.definitions:{saga.name.upper()}" for saga in DEFINITIONS),
    }


def _start_one(fleet: Fleet, name: str, *module: str) -> None:
    own = {"SAGA_INSTANCE": name} if name in NAMED else {}
    fleet.start(name, *module, **own)
