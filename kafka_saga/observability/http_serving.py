"""HTTP servers as every process here has them: long addresses are read, and a client's mistake is no error of ours."""

from __future__ import annotations

import logging

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

LONGEST_LINE = 64 * 1024
"""Bytes of an address or a header; a longer one is answered 400 by the server itself."""

GRACE = 1.0
"""Seconds that requests get to end when their server goes."""

LOG = logging.getLogger("saga.http")


class OfClients(logging.Filter):
    """What is no HTTP is said in one line: whoever sent it is told what is wrong with it."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether to log the line."""
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, HttpProcessingError):
            why = " ".join(error.message.split())[:200]
            record.msg, record.args = f"{record.getMessage()}: {why}", ()
            record.levelno, record.levelname = logging.INFO, "INFO"
            record.exc_info = record.exc_text = None
        return True


LOG.addFilter(OfClients())


def runner_for(app: web.Application, grace: float = GRACE) -> web.AppRunner:
    """What serves an application; requests end with their clients, or `grace` seconds after the server."""
    return web.AppRunner(
        app,
        access_log=None,
        logger=LOG,
        shutdown_timeout=grace,
        handler_cancellation=True,
        max_line_size=LONGEST_LINE,
        max_field_size=LONGEST_LINE,
    )
