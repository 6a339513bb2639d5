"""What a test makes happen to handlers: fail so many times, take so long."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from kafka_saga.engine.context import Context
from kafka_saga.testing.executor import UNDISTURBED, Interference


@dataclass(slots=True)
class ScriptRule:
    """So many attempts at a step (of a saga, or of any) are disturbed in this way; none: all of them."""

    step: str
    happens: Interference
    times: int | None = None
    saga_id: str | None = None
    compensating: bool = False

    def applies(self, context: Context) -> bool:
        """Whether this attempt is one of them."""
        if (self.step, self.compensating) != (context.step, context.compensating) or self.times == 0:
            return False
        return self.saga_id in (None, context.saga_id)


@dataclass(slots=True)
class Attempt:
    """A handler was called: which step of which saga, which attempt, in which epoch, and whether to undo it."""

    saga_id: str
    step: str
    attempt: int
    epoch: int
    compensating: bool


@dataclass(slots=True)
class Script:
    """The rules of a test, the first that applies counts; and which attempts there were."""

    rules: list[ScriptRule] = field(default_factory=list)
    attempts: list[Attempt] = field(default_factory=list)

    def __call__(self, context: Context) -> Interference:
        """What happens to this attempt."""
        self.attempts.append(
            Attempt(context.saga_id, context.step, context.attempt, context.epoch, context.compensating)
        )
        applying = list(self._applying(context))
        for rule in applying:
            if rule.times is not None:
                rule.times -= 1
        if not applying:
            return UNDISTURBED
        errors = [rule.happens.error for rule in applying if rule.happens.error is not None]
        return Interference(sum(rule.happens.seconds for rule in applying), errors[0] if errors else None)

    def _applying(self, context: Context) -> Iterator[ScriptRule]:
        """The first rule that fails this attempt, and the first that delays it."""
        applying = [rule for rule in self.rules if rule.applies(context)]
        yield from [rule for rule in applying if rule.happens.error is not None][:1]
        yield from [rule for rule in applying if rule.happens.error is None][:1]
