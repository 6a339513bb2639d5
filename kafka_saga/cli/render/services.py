"""The services that `saga up` runs, as a table and for scripts."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from kafka_saga.cli.output import safe
from kafka_saga.local.up_record import ServiceSeen, ServiceStatus, UpRecord

STATUS_MARKS = {
    ServiceStatus.STARTING: ("●", "yellow"),
    ServiceStatus.READY: ("✓", "green"),
    ServiceStatus.WAITING: ("●", "yellow"),
    ServiceStatus.RESTARTING: ("✗", "bold red"),
    ServiceStatus.STOPPED: ("-", "dim"),
}


def services_table(services: Sequence[ServiceSeen]) -> Table:
    """One service a line: mark, name, status, process, and what is to say about it."""
    table = Table.grid(padding=(0, 2, 0, 0))
    for _ in range(4):
        table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for service in services:
        mark, style = STATUS_MARKS[service.status]
        process = "" if service.pid is None else f"process {service.pid}"
        table.add_row(
            Text(mark, style), safe(service.name, "bold"), Text(service.status.value, style), Text(process, "dim"),
            safe(remark(service), "dim"),
        )  # fmt: skip
    return table


def remark(service: ServiceSeen) -> str:
    """Why it is not ready, or how often it was started again and why."""
    if service.reasons and service.status is ServiceStatus.WAITING:
        return service.reasons[0]
    if not service.restarts and service.status is not ServiceStatus.RESTARTING:
        return ""
    times = "once" if service.restarts == 1 else f"{service.restarts} times"
    again = f"started again {times}; " if service.restarts else ""
    return f"{again}last end: {service.last_end}"


def status_view(record: UpRecord, logs: str, console: str | None = None) -> RenderableType:
    """Everything that runs; `console`: where to look at it."""
    whose = "" if record.has_own_kafka else ", not started by `saga up`"
    head = Text.assemble("Kafka  ", (record.bootstrap, "bold"), (whose, "dim"))
    parts: list[RenderableType] = [head, services_table(record.services)]
    if console is not None:
        parts.append(Text.assemble("look   ", safe(console, "bold")))
    return Group(*parts, Text.assemble(("logs   ", "dim"), safe(logs, "dim")))
