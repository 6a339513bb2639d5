"""Child processes for heavy handlers: killing one is its timeout, its death is a report.

A child runs one handler at a time. It ends when its parent does, however that happened.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import threading
import time
from collections import deque
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import NamedTuple

from kafka_saga.broker.reasons import sound
from kafka_saga.engine.context import Context, Noted
from kafka_saga.engine.work import Died, Job, Raised, Result, Returned, TimedOut
from kafka_saga.errors import ChoreographyError
from kafka_saga.events.event import Event
from kafka_saga.execution.inline import run_inline


class ChildAnswer(NamedTuple):
    """What a child sends back: the result, and the keyed state as the handler left it."""

    result: Result
    state: bytes | None
    is_changed: bool


TOLD_EVERY = 0.1
"""Seconds between two words of a child about its progress."""

_READY = ChildAnswer(Returned(None), None, is_changed=False)
"""What a child answers when it has imported a handler."""


class _Child(NamedTuple):
    process: BaseProcess
    pipe: Connection


class ProcessPool:
    """Up to `limit` child processes, started when first needed and used again."""

    def __init__(self, limit: int) -> None:
        self._limit = asyncio.Semaphore(limit)
        self._idle: deque[_Child] = deque()
        self._all: set[_Child] = set()
        self._spawn = multiprocessing.get_context("spawn")

    async def run(self, job: Job, event: Event, context: Context, seconds: float) -> Result:
        """Run a heavy handler in a child for at most `seconds`."""
        async with self._limit:
            child = self._idle.popleft() if self._idle else await asyncio.to_thread(self._start)
            try:
                # The first import of a handler's module is not part of its timeout.
                await _ask(child, job.handler, context)
                async with asyncio.timeout(seconds):
                    answer = await _ask(child, (job.handler, event, context), context)
            except TimeoutError:
                self._kill(child)
                return TimedOut(seconds)
            except (EOFError, OSError):
                self._kill(child)
                return Died(child.process.exitcode or 0)
            except BaseException:
                self._kill(child)
                raise
            self._idle.append(child)
        if answer.is_changed:
            context.state.set(answer.state)
        return answer.result

    def close(self) -> None:
        """Kill every child."""
        for child in tuple(self._all):
            self._kill(child)

    def _start(self) -> _Child:
        ours, theirs = self._spawn.Pipe()
        process = self._spawn.Process(target=_serve, args=(theirs,), name="handler", daemon=True)
        process.start()
        theirs.close()
        child = _Child(process, ours)
        self._all.add(child)
        return child

    def _kill(self, child: _Child) -> None:
        self._all.discard(child)
        child.pipe.close()
        child.process.kill()
        child.process.join()


async def _ask(child: _Child, question: object, context: Context) -> ChildAnswer:
    """Ask a child; what it says of its progress meanwhile is kept in the context."""
    loop = asyncio.get_running_loop()
    await loop.run_in_executor(None, child.pipe.send, question)
    while True:
        match await _heard(child, loop):
            case ChildAnswer() as answer:
                return answer
            case Noted() as noted:
                context.noted = noted
            case _:
                raise EOFError  # the child spoke nonsense: as good as dead


async def _heard(child: _Child, loop: asyncio.AbstractEventLoop) -> object:
    readable = loop.create_future()
    loop.add_reader(child.pipe.fileno(), readable.set_result, None)
    try:
        await readable
    finally:
        loop.remove_reader(child.pipe.fileno())
    return await loop.run_in_executor(None, child.pipe.recv)


def _serve(pipe: Connection) -> None:
    """A child's life: handle what comes until the parent has gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    while True:
        try:
            question = pipe.recv()
            pipe.send(_answer(pipe, *question) if isinstance(question, tuple) else _READY)
        except (EOFError, OSError):
            return


def _answer(pipe: Connection, handler: object, event: Event, context: Context) -> ChildAnswer:
    telling = _Telling(pipe)
    context.tell = telling
    result = run_inline(handler, event, context)  # type: ignore[arg-type]
    telling.end()
    return ChildAnswer(_portable(result), context.state.value, context.state.changed)


class _Telling:
    """Passes on what a handler says of its progress, from any of its threads, not more often than is looked at."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe
        self._lock = threading.Lock()
        self._next = 0.0

    def __call__(self, noted: Noted) -> None:
        with self._lock:
            now = time.monotonic()
            if now >= self._next:
                self._next = now + TOLD_EVERY
                self._pipe.send(noted)

    def end(self) -> None:
        """Nothing may follow the answer, whatever threads the handler has left behind."""
        with self._lock:
            self._next = float("inf")


def _portable(result: Result) -> Result:
    """Exceptions of libraries may not travel between processes; their type and text do."""
    match result:
        case Raised(error, traceback) if not isinstance(error, ChoreographyError):
            return Raised(RuntimeError(sound(error)), traceback, type(error).__name__)
        case Returned(value) if not isinstance(value, Event | tuple | list):
            return Returned(type(value).__name__)
        case _:
            return result


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
