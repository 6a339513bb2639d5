"""The process that parses: one JSON `FileVersions` a line in, one JSON `FileReport` a line out."""

from __future__ import annotations

import contextlib
import resource
import signal
import sys
from typing import BinaryIO

from services.ast.files import FileVersions, Limits, analyse_file


def bound_memory(limit: int) -> None:
    """Let allocations beyond `limit` bytes of address space fail, where the system knows such a limit."""
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (limit, hard))


def serve(requests: BinaryIO, answers: BinaryIO, seconds: int) -> None:
    """Answer until the requests end. A file that takes longer than `seconds` ends the process by SIGALRM."""
    for request in requests:
        signal.alarm(seconds)
        report = analyse_file(FileVersions.model_validate_json(request), Limits())
        signal.alarm(0)
        answers.write(report.model_dump_json().encode() + b"\n")
        answers.flush()


def main() -> None:
    """Run as `python -m services.ast.child MEMORY_BYTES SECONDS`."""
    memory, seconds = (int(argument) for argument in sys.argv[1:3])
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's business; the end of input ends us
    bound_memory(memory)
    serve(sys.stdin.buffer, sys.stdout.buffer, seconds)


if __name__ == "__main__":
    main()
