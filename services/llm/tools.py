"""Rule engines that are programs: found beside this Python, run on a private folder, killed when not waited for."""

from __future__ import annotations

import asyncio
import os
import shutil
import sysconfig
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from kafka_saga import RetryableError, TerminalError


@dataclass(frozen=True, slots=True)
class ToolRun:
    """How a program ended and what it printed."""

    exit_code: int
    stdout: bytes
    stderr: str


def installed(program: str, package: str) -> Path:
    """Where `program` is: among this Python's scripts, else on the PATH. Raises TerminalError if nowhere."""
    places = os.pathsep.join((sysconfig.get_path("scripts"), os.environ.get("PATH", os.defpath)))
    found = shutil.which(program, path=places)
    if found is None:
        raise TerminalError(f"{program} is not installed, and the offline reviewer needs it: run pip install {package}")
    return Path(found)


async def run_tool(command: Sequence[str | Path], folder: Path, timeout: float) -> ToolRun:  # noqa: ASYNC109 - part of the port
    """Run `command` in `folder` with an empty environment, for at most `timeout` seconds.

    Raises TerminalError if the program is not there and RetryableError if it cannot start or takes too long.
    Whatever happens, cancellation included, it has ended when this returns.
    """
    name = Path(command[0]).name
    process = await _started(command, folder, name)
    try:
        stdout, stderr = await asyncio.wait_for(process.communicate(), timeout)
    except TimeoutError as error:
        raise RetryableError(f"{name} did not end within {timeout:g} seconds and was stopped") from error
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return ToolRun(process.returncode or 0, stdout, stderr.decode(errors="replace"))


async def _started(command: Sequence[str | Path], folder: Path, name: str) -> asyncio.subprocess.Process:
    pipe, null = asyncio.subprocess.PIPE, asyncio.subprocess.DEVNULL
    try:
        return await asyncio.create_subprocess_exec(*command, cwd=folder, env={}, stdin=null, stdout=pipe, stderr=pipe)
    except FileNotFoundError as error:
        raise TerminalError(f"{command[0]} is not there, and the offline reviewer needs it: reinstall it") from error
    except OSError as error:
        raise RetryableError(f"{name} cannot be started: {error.strerror or error}") from error


@asynccontextmanager
async def private_folder(files: Mapping[str, str]) -> AsyncIterator[Path]:
    """A folder nobody else can read with `files` (name below it to text) in it, gone afterwards.

    The names are ours, never those of a repository. Raises RetryableError if it cannot be written.
    """
    with TemporaryDirectory(prefix="saga-review-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        writing = asyncio.create_task(asyncio.to_thread(_write, folder, files))
        try:
            await asyncio.shield(writing)
        except asyncio.CancelledError:
            # a thread cannot be cancelled: the folder may only go when nobody writes into it any more
            await asyncio.wait([writing])
            raise
        except OSError as error:
            reason = error.strerror or error
            raise RetryableError(f"the files to review cannot be written to {folder}: {reason}") from error
        yield folder


def _write(folder: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(text.encode(errors="replace"))


def engine_text(text: str) -> str:
    """`text` as the engines shall count its lines, like git does: a line ends at a line feed and nowhere else."""
    return text.replace("\r\n", "\n").replace("\r", " ")
