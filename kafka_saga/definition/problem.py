"""What is wrong with a saga definition: what, where, and how to mend it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from kafka_saga.definition.model import Saga, Step


class Code(StrEnum):
    """What kind of problem it is; stable, for scripts."""

    WRONG_TYPE = "wrong_type"
    BAD_NAME = "bad_name"
    BAD_VERSION = "bad_version"
    BAD_EVENT_TYPE = "bad_event_type"
    RESERVED_TOPIC = "reserved_topic"
    TOPICS_COLLIDE = "topics_collide"
    BAD_TEMPLATE = "bad_template"
    DUPLICATE_STEP = "duplicate_step"
    DUPLICATE_OUTCOME = "duplicate_outcome"
    DUPLICATE_EVENT_TYPE = "duplicate_event_type"
    DUPLICATE_DEFINITION = "duplicate_definition"
    SHARED_EVENT_TYPE = "shared_event_type"
    SHARED_STEP = "shared_step"
    NO_STEPS = "no_steps"
    NO_ENDS = "no_ends"
    NO_FIRST_STEP = "no_first_step"
    SEVERAL_FIRST_STEPS = "several_first_steps"
    EMITS_NOTHING = "emits_nothing"
    EMITS_ITS_TRIGGER = "emits_its_trigger"
    EMITS_THE_START = "emits_the_start"
    NOBODY_EMITS = "nobody_emits"
    NOBODY_CONSUMES = "nobody_consumes"
    UNREACHABLE = "unreachable"
    CYCLE_WITHOUT_EXIT = "cycle_without_exit"
    CANNOT_END = "cannot_end"
    NO_REACHABLE_END = "no_reachable_end"
    END_NOBODY_EMITS = "end_nobody_emits"
    END_IS_BY_PRODUCT = "end_is_by_product"
    END_TRIGGERS = "end_triggers"
    BAD_BOUND = "bad_bound"
    BOUNDS_CONTRADICT = "bounds_contradict"
    BAD_RETRY = "bad_retry"
    NOTHING_TO_COMPENSATE = "nothing_to_compensate"


@dataclass(frozen=True, slots=True)
class Problem:
    """One error of a definition: `place` says where, `what` is the case, `mend` is what to do about it."""

    code: Code
    place: str
    what: str
    mend: str

    def __str__(self) -> str:
        return f"{self.place}: {self.what}. Mend: {self.mend}."


def of_saga(saga: Saga, field: str = "") -> str:
    """The place of a problem of a whole saga, or of one field of it: `order v1, key`."""
    name = saga.name if saga.name.isprintable() else ascii(saga.name)
    return _joined(f"{name} v{saga.version}", field)


def of_step(saga: Saga, step: Step, field: str = "") -> str:
    """The place of a problem of a step, or of one field of it: `order v1, step 'payment', on`."""
    return _joined(f"{of_saga(saga)}, step {step.name!r}", field)


def _joined(place: str, field: str) -> str:
    return f"{place}, {field}" if field else place
