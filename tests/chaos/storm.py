"""Deals the blows: kills, stops and resumes processes and the broker, and brings back who is down."""

from __future__ import annotations

import heapq
import signal
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor

from kafka_saga.local.broker import EmbeddedKafka
from tests.chaos.blows import Blow, Victim
from tests.chaos.figures import BROKER, TRACKER, Hit
from tests.e2e.support.fleet import Fleet, Member

Say = Callable[[str], None]


class Storm:
    """Blows befall a fleet and its broker; `hits` are those that were dealt."""

    def __init__(self, kafka: EmbeddedKafka, fleet: Fleet, blows: Iterable[Blow], say: Say) -> None:
        self.hits: list[Hit] = []
        self.exits: Counter[str] = Counter()
        self._kafka = kafka
        self._fleet = fleet
        self._blows = deque(blows)
        self._say = say
        self._later: list[tuple[float, int, Callable[[], None]]] = []
        self._stopped: set[str] = set()
        self._aside = ThreadPoolExecutor(1, thread_name_prefix="broker")
        self._broker: Future[object] | None = None

    @property
    def is_over(self) -> bool:
        """Whether all blows are dealt, and everybody is back."""
        return not self._blows and not self._later and self._has_broker()

    def turn(self, now: float) -> None:
        """Deal what is due, and look after those that have gone."""
        while self._later and self._later[0][0] <= now:
            heapq.heappop(self._later)[2]()
        while self._blows and self._blows[0].at <= now:
            self._deal(self._blows.popleft(), now)
        self._look_after()

    def close(self) -> None:
        """Let everybody go on, so that they can be ended."""
        if self._broker is not None:
            self._broker.result()
        self._aside.shutdown()
        self._kafka.resume()
        for name in self._stopped:
            self._fleet[name].send(signal.SIGCONT)

    # ---- dealing

    def _deal(self, blow: Blow, now: float) -> None:
        if blow.victim is Victim.BROKER:
            self._deal_to_broker(blow, now)
            return
        there = [one for one in self._fleet.members.values() if self._can_take(one, blow.victim)]
        if not there:
            self._put_off(blow, now)
            return
        member = there[blow.pick % len(there)]
        self._hit(blow, member.module[-1] if blow.victim is Victim.SERVICE else TRACKER, member.name)
        if blow.is_kill:
            member.is_wanted = False
            member.kill()
            self._at(now + blow.down, lambda: self._bring_back(member))
        else:
            self._stopped.add(member.name)
            member.send(signal.SIGSTOP)
            self._at(now + blow.down, lambda: self._go_on(member))

    def _can_take(self, member: Member, victim: Victim) -> bool:
        is_tracker = member.name.startswith(TRACKER)
        return member.is_alive and member.name not in self._stopped and is_tracker == (victim is Victim.TRACKER)

    def _deal_to_broker(self, blow: Blow, now: float) -> None:
        if not self._has_broker():
            self._put_off(blow, now)
            return
        self._hit(blow, BROKER, BROKER)
        if blow.is_kill:
            self._kafka.kill()
            self._broker = self._aside.submit(self._kafka.restart)
        else:
            self._kafka.pause()
            self._at(now + blow.down, self._kafka.resume)

    def _put_off(self, blow: Blow, now: float) -> None:
        self._blows.appendleft(blow._replace(at=now + 1))

    def _hit(self, blow: Blow, group: str, name: str) -> None:
        self.hits.append(Hit(time.time_ns() // 1_000_000, blow.kind, group, name))
        self._say(f"{blow.kind}: {name}, for {blow.down:.1f} s")

    # ---- bringing back

    def _at(self, when: float, act: Callable[[], None]) -> None:
        heapq.heappush(self._later, (when, len(self.hits), act))

    def _bring_back(self, member: Member) -> None:
        member.start()
        member.is_wanted = True

    def _go_on(self, member: Member) -> None:
        self._say(f"SIGCONT: {member.name}")
        self._stopped.discard(member.name)
        member.send(signal.SIGCONT)

    def _has_broker(self) -> bool:
        if self._broker is not None and self._broker.done():
            self._broker.result()
            self._broker = None
        return self._broker is None

    def _look_after(self) -> None:
        """A process that finds itself displaced exits by design, and whoever supervises it starts another."""
        for member in self._fleet.members.values():
            if member.is_wanted and not member.is_alive:
                self.exits[member.name] += 1
                self._say(f"{member.name} has ended by itself with {member.process.returncode}: {member.log.name}")
        self._fleet.tend()
