"""Files are parsed in a process of their own, so that input that breaks a native parser costs one file, not the review.

Measured with tree-sitter 0.26: 12 KB of `x=>x=>...` in a Java file take 5 GB and 22 seconds in one native call, where
no callback is asked. The process bounds its own memory and, by an alarm signal, its time for each file; it ends when
its input ends, so it does not outlive its parent.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass
from functools import cache

from kafka_saga import RetryableError
from schemas.events.code_review import AnalysisStatus
from services.ast.files import FileReport, FileVersions, without_analysis


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one parser process may take: address space (bytes), and time for one file (whole seconds)."""

    memory: int = 2 * 1024**3
    seconds: int = 30


class IsolatedParser:
    """Analyses one file after the other in a child process, which is started when needed and again after it died."""

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        self._one_at_a_time = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def analyse(self, versions: FileVersions) -> FileReport:
        """The report of the child process; a file that kills it is reported as unparsable.

        Raises RetryableError if the process ended for another reason, say because it was told to.
        """
        with self._one_at_a_time:
            answer = self._exchange(versions.model_dump_json().encode() + b"\n")
            if answer.endswith(b"\n"):
                return FileReport.model_validate_json(answer)
            return without_analysis(versions.file, AnalysisStatus.UNPARSABLE, self._cause(self.close()))

    def close(self) -> int:
        """End the child process, if there is one; returns its exit code as `subprocess` has it."""
        process, self._process = self._process, None
        if process is None:
            return 0
        with process, contextlib.suppress(BrokenPipeError):
            process.communicate()
        return process.returncode

    def _exchange(self, request: bytes) -> bytes:
        process = self._running()
        assert process.stdin is not None  # noqa: S101 - it was opened as a pipe
        assert process.stdout is not None  # noqa: S101
        with contextlib.suppress(BrokenPipeError):
            process.stdin.write(request)
            process.stdin.flush()
        return process.stdout.readline()

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is not None and self._process.poll() is not None:
            self.close()
        if self._process is None:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "services.ast.child", str(self._bounds.memory), str(self._bounds.seconds)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            )
        return self._process

    def _cause(self, exit_code: int) -> str:
        match -exit_code:
            case signal.SIGALRM:
                return f"the parser took longer than {self._bounds.seconds} s and was stopped"
            case signal.SIGABRT | signal.SIGSEGV | signal.SIGKILL:
                return f"the parser ran out of memory ({self._bounds.memory // 1024**2} MiB) or crashed"
            case _:
                raise RetryableError(
                    f"the parser process ended with exit code {exit_code}, which is not the file's doing"
                )


@cache
def shared_parser() -> IsolatedParser:
    """The parser process of this process: kept between deliveries, because starting it costs more than most files."""
    parser = IsolatedParser(Bounds())
    atexit.register(parser.close)
    return parser
