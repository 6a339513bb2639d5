"""Which span is whose parent: identities of spans that are made from a `traceparent` rather than at random."""

from __future__ import annotations

import threading
from typing import NamedTuple

from opentelemetry.context import Context
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.trace import NonRecordingSpan, Span, SpanContext, TraceFlags, set_span_in_context


class Identity(NamedTuple):
    """What a `traceparent` says."""

    trace: int
    span: int
    flags: int

    @property
    def context(self) -> Context:
        """A context whose span is the one that is meant, wherever it was recorded."""
        return set_span_in_context(
            NonRecordingSpan(SpanContext(self.trace, self.span, is_remote=True, trace_flags=TraceFlags(self.flags))),
            Context(),
        )


def identity_of(traceparent: str) -> Identity:
    """The identity in a well-formed `traceparent`."""
    _, trace, span, flags = traceparent.split("-")
    return Identity(int(trace, 16), int(span, 16), int(flags, 16))


def traceparent_of(span: Span) -> str:
    """The `traceparent` of a span (W3C Trace Context, 3.2.2)."""
    own = span.get_span_context()
    return f"00-{own.trace_id:032x}-{own.span_id:016x}-{own.trace_flags & 1:02x}"


class GivenIds(RandomIdGenerator):
    """Random ids, but for the next span of a thread that has been given one. Zero is no id (3.2.2.3 and 3.2.2.4)."""

    def __init__(self) -> None:
        self._given = threading.local()

    def give(self, trace: int = 0, span: int = 0) -> None:
        """The next span that this thread starts has this id; if it has no parent, also this trace."""
        self._given.trace, self._given.span = trace, span

    def generate_span_id(self) -> int:
        """As `IdGenerator.generate_span_id`."""
        span: int = getattr(self._given, "span", 0)
        self._given.span = 0
        return span or super().generate_span_id()

    def generate_trace_id(self) -> int:
        """As `IdGenerator.generate_trace_id`."""
        trace: int = getattr(self._given, "trace", 0)
        self._given.trace = 0
        return trace or super().generate_trace_id()

    def is_trace_id_random(self) -> bool:
        """Ours come from a hash, not all of a generator's bits are random (Trace Context level 2)."""
        return False
