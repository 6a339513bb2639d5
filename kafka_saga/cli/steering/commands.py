"""`saga pause | resume | cancel | retry | redrive | rewind | skip`: what they take, and what they ask for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import Annotated

import typer

from kafka_saga.cli.connection import connection_of
from kafka_saga.cli.options import Manner, checked, taking
from kafka_saga.cli.steering.giving import Typed, give
from kafka_saga.events.commands import Act
from kafka_saga.inspection.commands.giving import Check
from kafka_saga.inspection.commands.selection import Selection
from kafka_saga.inspection.commands.skipping import GivenOutcome, content_of, judged
from kafka_saga.inspection.log.deployed import Deployed
from kafka_saga.inspection.log.loading import known_on, name_of
from kafka_saga.tracker.core.state import SagaState, SagaStatus
from kafka_saga.wire.wording import line

EPILOG = "Exit codes: 0 accepted, 1 refused or failed, 6 the tracker has not answered within --wait."


@dataclass(frozen=True, kw_only=True)
class Steering(Manner):
    """Which sagas are meant, and how careful to be."""

    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="ID", help="Saga ids, business keys (their latest saga), or unique beginnings."),
    ] = None
    step: Annotated[
        str | None,
        typer.Option(metavar="[DEFINITION/]STEP", help="The step that sagas stand at, and that is acted on."),
    ] = None
    definition: Annotated[
        str | None, typer.Option(metavar="NAME", help="Sagas of this definition: its name, or MODULE:ATTRIBUTE.")
    ] = None
    key_prefix: Annotated[
        str | None, typer.Option(metavar="TEXT", callback=checked(line), help="Sagas whose business key begins so.")
    ] = None
    status: Annotated[
        list[SagaStatus] | None, typer.Option(metavar="STATUS", help="Sagas of this status; may be repeated.")
    ] = None
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say which sagas it would concern.")] = False
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before acting on more than one saga.")] = False

    @property
    def selection(self) -> Selection:
        """The sagas that are meant."""
        names, statuses = tuple(self.names or ()), frozenset(self.status or ())
        return Selection(names, self.step, name_of(self.definition), self.key_prefix, statuses, self.definition)

    def order(self, act: Act, step: str | None = None, outcome: GivenOutcome | None = None) -> Typed:
        """The command, with the step it acts on."""
        return Typed(
            act,
            self.author,
            self.reason,
            step=step,
            outcome=outcome.event_type if outcome else None,
            content=outcome.content if outcome else None,
            command_id=self.command_id,
            wait=self.wait,
            is_dry=self.dry_run,
            is_sure=self.yes,
            as_json=self.as_json,
        )


@dataclass(frozen=True, kw_only=True)
class Rewinding(Steering):
    """What `saga rewind` takes besides."""

    to: Annotated[str, typer.Option("--to", metavar="STEP", help="The step to go back to: it runs again.")]


@dataclass(frozen=True, kw_only=True)
class Skipping(Steering):
    """What `saga skip` takes besides."""

    outcome: Annotated[
        str | None, typer.Option(metavar="EVENT_TYPE", help="The event that the step is to have ended with.")
    ] = None
    content: Annotated[
        str, typer.Option(metavar="JSON|@FILE", help="That event's content: a JSON object, checked against its model.")
    ] = "{}"


@taking(Steering)
def pause(context: typer.Context, options: Steering) -> None:
    """Pause sagas until they are resumed.

    Nothing of them starts and no deadline runs; what runs may end. With --step, --definition or --key-prefix (and
    no --status), sagas that start later are paused, too.
    """
    _give(context, options.selection, options.order(Act.PAUSE))


@taking(Steering)
def resume(context: typer.Context, options: Steering) -> None:
    """Resume what was paused, with the time that it had left."""
    _give(context, options.selection, options.order(Act.RESUME))


@taking(Steering)
def cancel(context: typer.Context, options: Steering) -> None:
    """Cancel sagas. What runs may end, then what was done is undone, last step first."""
    _give(context, options.selection, options.order(Act.CANCEL))


@taking(Steering)
def retry(context: typer.Context, options: Steering) -> None:
    """Try a failed step again now. All its attempts count anew; the saga keeps its epoch."""
    selection = options.selection
    _give(context, selection, options.order(Act.RETRY, selection.step_name))


@taking(Steering)
def redrive(context: typer.Context, options: Steering) -> None:
    """Run sagas again from the failed step. The steps before it are kept; what it still leads to no longer counts."""
    selection = options.selection
    _give(context, selection, options.order(Act.REDRIVE, selection.step_name))


@taking(Rewinding)
def rewind(context: typer.Context, options: Rewinding) -> None:
    """Go back to an earlier step. What was done from there on is undone, then the step runs again."""
    _give(context, options.selection, options.order(Act.REWIND, options.to))


@taking(Skipping)
def skip(context: typer.Context, options: Skipping) -> None:
    """Give a step its outcome by hand. The saga goes on from there.

    In a saga that is being undone it needs no --outcome: the step's compensation, which has failed, is done without.
    """
    selection = options.selection
    if selection.names:  # a definition then only says where the event's model is
        selection = replace(selection, definition=None)
    if selection.step_name is None:
        raise typer.BadParameter("which step is to be skipped?", param_hint="--step")
    outcome = None if options.outcome is None else GivenOutcome(options.outcome, content_of(options.content))
    order = options.order(Act.SKIP, selection.step_name, outcome)
    known = known_on(connection_of(context).cluster(), options.definition)
    _give(context, selection, order, partial(_judge, selection.step_name, outcome, known))


def _judge(step: str, outcome: GivenOutcome | None, known: Deployed, state: SagaState) -> None:
    judged(state, step, outcome, known.definition(state.definition, state.version))


def _give(context: typer.Context, selection: Selection, order: Typed, judge: Check | None = None) -> None:
    connection = connection_of(context)
    raise typer.Exit(give(connection.cluster(), connection.groups(), selection, order, judge))
