"""What the stream's libraries log, made fit for our logs: no banner, no tracebacks, no torrents while Kafka is away."""

from __future__ import annotations

import logging

from kafka_saga.observability.logs import CLIENT_PAUSE, Seldom

_TALKATIVE = ("faust", "mode", "aiokafka", "kafka_saga.views.stream")


class OneLine(logging.Filter):
    """Keeps a line without its traceback, at WARNING at most, cut to a sentence; chatter below WARNING is dropped."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the line is worth logging."""
        if record.levelno < logging.WARNING:
            return False
        record.msg, record.args = record.getMessage().splitlines()[0][:300] if record.getMessage() else "(nothing)", ()
        record.exc_info = record.exc_text = record.stack_info = None
        record.levelno, record.levelname = logging.WARNING, "WARNING"
        return True


class FromLibraries(logging.Filter):
    """Both filters, for lines of the libraries only; to be put on a handler, so that it sees those of all loggers."""

    def __init__(self) -> None:
        super().__init__()
        self._filters = (OneLine(), Seldom(CLIENT_PAUSE))

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether to log the line."""
        if not record.name.startswith(_TALKATIVE):
            return True
        return all(one.filter(record) for one in self._filters)


def quieten() -> None:
    """Heed all this in every handler of the process; to be called once, after these are made."""
    for handler in logging.getLogger().handlers:
        handler.addFilter(FromLibraries())
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)
