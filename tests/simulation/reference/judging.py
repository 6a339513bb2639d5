"""What the tracker wrote about a saga at once, held against what its standing allows and demands."""

from __future__ import annotations

from collections.abc import Sequence

from kafka_saga.definition.model import OnFailure
from kafka_saga.events import lifecycle as events
from kafka_saga.events.commands import Act, SagaCommand
from kafka_saga.wire.step_commands import COMPENSATE
from tests.simulation.reference.allowed import why_not_compensate, why_not_execute, why_not_given_up
from tests.simulation.reference.answers import is_accepted, retried
from tests.simulation.reference.clocks import lasts
from tests.simulation.reference.demands import is_settling, wanted_incidents
from tests.simulation.reference.knowledge import Knowledge
from tests.simulation.reference.learning import end_pause, waive
from tests.simulation.reference.runs import Delivery, Redo, Run, Undo, downstream
from tests.simulation.reference.standing import SAGAS_OWN, Standing
from tests.simulation.reference.timelines import Asked, Batch, Fact, Timeline
from tests.simulation.seen import Seen, Told


class Judge:
    """Judges the batches of one saga in their order, and takes note of what follows from them."""

    def __init__(self, known: Knowledge, timeline: Timeline) -> None:
        self._known = known
        self._timeline = timeline
        self._commands = {asked.id: asked for asked in reversed(timeline.asked)}
        self._begins: Undo | None = None
        self._granted: Run | None = None
        self._carried: list[Seen] = []
        self._written = 0

    def judge(self, batch: Batch) -> None:
        if batch.written > self._written:
            self.check_pause()
        self._written = batch.written
        until = self._known.standing.now = (
            batch.written if batch.until is None else batch.until
        ) + self._known.standing.slack
        left = list(batch.work)
        if batch.until is not None:
            left, self._carried = [*self._carried, *left], []
        for told in batch.told:
            left = self._sent_before(told, left, batch, until)
            self._hear(told, batch, until)
        left = self._sent(left, batch, until, until)
        if batch.goes_on:
            self._carried = left
        else:
            self._refuse(left, until)
        self._settle(batch)
        self._leave_nothing_open()

    def given(self, outcome: Fact) -> None:
        """An outcome was given in a step's name: it has to be the one that a person has asked for, in its epoch."""
        undo, seen = self._known.standing.undo, outcome.seen
        if undo is None or undo.redo is None:
            return  # the saga was given up in the same ruling
        if (undo.redo.step, undo.redo.outcome, undo.epoch) != (seen.step, seen.type, seen.epoch):
            text = f"{seen.type} of {seen.step} is given in epoch {seen.epoch}"
            self._known.complain("a_skip_gives_what_was_asked_for", text)

    def _sent_before(self, told: Told, left: list[Seen], batch: Batch, until: int) -> list[Seen]:
        """What is left of commands to steps when those are taken note of that went out before this was decided."""
        match told.event:
            case _ if self._begins is not None:
                return left
            case events.CommandAccepted(command=Act.RETRY):
                return left  # it would be refused if what it asks for had gone out before
            case events.CommandAccepted(at=at) | events.CommandRefused(at=at):
                return self._sent(left, batch, until, at + self._known.standing.slack)
            case events.DeadlinePassed() | events.SagaUndoing() | events.IncidentRaised():
                return self._sent(left, batch, until, until)
            case _:
                return left

    def _sent(self, left: Sequence[Seen], batch: Batch, until: int, before: int) -> list[Seen]:
        """What is left of commands to steps when those are taken note of that were due before a time, in any order."""
        for standing in self._known.may_have_known(batch.written) if left else ():
            for seen in left:
                if self._why_not(standing, seen, before) is None:
                    if standing is not self._known.standing:
                        self._known.adopt(standing)
                    self._take_note(seen, until)
                    return self._sent([one for one in left if one is not seen], batch, until, before)
        return list(left)

    def _refuse(self, left: Sequence[Seen], until: int) -> None:
        """Commands to steps that must not be."""
        for seen in left:
            attempt, why = seen.headers.get("ce_attempt"), self._why_not(self._known.standing, seen, until)
            text = f"{seen.type} of {seen.step} at {seen} (attempt {attempt}, epoch {seen.epoch}) must not be"
            self._known.complain(why or "one_delivery_at_a_time", text)
            self._take_note(seen, until)

    def _hear(self, told: Told, batch: Batch, until: int) -> None:
        match told.event:
            case events.CommandAccepted(command_id=command_id):
                self._answered(command_id, batch, accepted=True)
            case events.CommandRefused(command_id=command_id):
                self._answered(command_id, batch, accepted=False)
            case events.SagaUndoing() as undoing:
                self._undo(undoing, batch, until)
            case events.DeadlinePassed() as passed:
                self._fire(passed, until)
            case events.IncidentRaised(kind=kind, step=step, incident=incident):
                self._raise(incident, kind, step, batch)
            case events.IncidentSolved(incident=incident):
                self._known.standing.incidents.pop(incident, None)
            case events.SagaFailed() | events.SagaCancelled():
                self._end(batch, until)
            case _:
                pass

    def _settle(self, batch: Batch) -> None:
        """A ruling ends the settling, if there is nothing to wait for any more."""
        undo, until = self._known.standing.undo, batch.until
        if undo is None or undo.settled_at is not None or until is None or undo.at >= until:
            return
        ends = [
            not (is_settling(one, until) or lasts(one.frozen())) for one in self._known.may_have_known(batch.written)
        ]
        if any(ends) and undo.settled_from is None:
            undo.settled_from = until
        if ends[0] and ends[-1]:
            undo.settled_at, undo.told_at = until, batch.written

    def _leave_nothing_open(self) -> None:
        if self._begins is not None:
            rule = {"redo": "an_accepted_redo_goes_back", "cancelled": "an_accepted_cancel_undoes"}
            self._known.complain(rule.get(self._begins.goal, "a_deadline_has_consequences"), "nothing came of it")
        if self._granted is not None:
            self._known.complain(
                "an_accepted_retry_runs_again", f"step {self._granted.step.name} is not asked for again"
            )
        self._begins = self._granted = None

    def check_pause(self) -> None:
        """A pause that nothing of the same transaction has ended: services were told of it."""
        pauses = self._known.standing.pauses
        if pauses and pauses[-1][1] is None and not self._is_told(pauses[-1][0]):
            self._known.complain("an_accepted_pause_holds", "it is paused, and services were never told of it")

    def _is_told(self, paused_at: int) -> bool:
        return any(abs(at - paused_at) <= self._known.standing.slack for at in self._timeline.held_since)

    def _answered(self, command_id: str, batch: Batch, *, accepted: bool) -> None:
        asked = self._commands.get(command_id)
        if asked is None or command_id in self._known.standing.answered:
            return
        self._known.standing.answered.add(command_id)
        command, forgotten_at = asked.command, self._timeline.forgotten_at
        if forgotten_at is not None and forgotten_at <= batch.written:
            if accepted:
                self._known.complain(
                    "a_command_is_answered_by_the_standing", f"{command_id} is accepted, and it is forgotten"
                )
            return
        for known in self._known.may_have_known(batch.written):
            if is_accepted(known, command) is accepted or known.may_be_outrun:
                if known is not self._known.standing:
                    self._known.adopt(known)
                break
        else:
            answer = "accepted" if accepted else "refused"
            text = f"{command.command.value} {command.step or ''} ({command_id}) is {answer}"
            self._known.complain("a_command_is_answered_by_the_standing", text)
        if accepted:
            self._known.note_completion(self._known.by(batch.written))
            self._obey(asked)

    def _obey(self, asked: Asked) -> None:
        standing, command = self._known.standing, asked.command
        match command.command:
            case Act.PAUSE:
                standing.pauses.append((asked.at, None))
            case Act.RESUME:
                end_pause(standing, asked.at)
            case Act.CANCEL:
                end_pause(standing, asked.at)
                self._begins = Undo("cancelled", asked.at, standing.epoch, self._all_steps())
            case Act.RETRY:
                self._granted = retried(standing, command)
            case Act.SKIP if standing.undo is not None and standing.undo.is_over and not standing.undo.has_ended:
                waive(standing, command.step or "")
            case _:
                self._begins = self._redo(command, asked.at)

    def _redo(self, command: SagaCommand, at: int) -> Undo:
        step = command.step or self._failed_step()
        steps = downstream(self._known.standing.definition).get(step, frozenset())
        outcome = command.outcome if command.command is Act.SKIP else None
        return Undo("redo", at, self._known.standing.epoch + 1, steps, Redo(step, outcome))

    def _failed_step(self) -> str:
        """The step that a redrive without one starts at."""
        order = {"failed": 0, "skipped": 1}
        found = sorted(
            self._known.standing.current(),
            key=lambda run: (
                order.get(self._known.standing.status(run), 2),
                list(self._known.standing.definition.steps_by_name).index(run.step.name),
            ),
        )
        return found[0].step.name if found else ""

    def _all_steps(self) -> frozenset[str]:
        return frozenset(self._known.standing.definition.steps_by_name)

    def _undo(self, undoing: events.SagaUndoing, batch: Batch, until: int) -> None:
        standing, expected = self._known.standing, self._begins
        self._begins = None
        if expected is not None and expected.goal == undoing.goal:
            if expected.redo is not None and not expected.redo.step:
                expected.redo.step = next((name for name, then in downstream(standing.definition).items()
                                           if then == frozenset(undoing.steps)), "")  # fmt: skip
            elif expected.epoch != undoing.epoch or expected.steps != frozenset(undoing.steps):
                self._known.complain(
                    "a_redo_concerns_what_follows", f"epoch {undoing.epoch} of {', '.join(undoing.steps)}"
                )
        elif (why := self._why_no_undoing(undoing, batch)) is not None:
            self._known.complain(why, f"it is {undoing.goal} for no reason: {undoing.reason}")
        if undoing.reason.startswith("superseded"):
            end_pause(standing, until)
        at = expected.at if expected is not None else undoing.until
        redo = expected.redo if expected is not None and undoing.goal == "redo" else None
        standing.undo = Undo(undoing.goal, at, undoing.epoch, frozenset(undoing.steps), redo, batch.written)
        if undoing.goal == "redo":
            standing.epoch, standing.begun = undoing.epoch, at
            standing.fired.discard(SAGAS_OWN)
            standing.floors |= dict.fromkeys(undoing.steps, undoing.epoch)
            standing.lifted |= dict.fromkeys(undoing.steps, batch.written)

    def _why_no_undoing(self, undoing: events.SagaUndoing, batch: Batch) -> str | None:
        """The rule by which a saga must not be given up as it stands; `None` if it may be."""
        found: str | None = None
        for standing in self._known.may_have_known(batch.written):
            found = why_not_given_up(standing, undoing)
            if found is None:
                return None
        return found

    def _end(self, batch: Batch, until: int) -> None:
        undo = self._known.standing.undo
        if undo is None:
            self._known.complain("what_ends_badly_is_given_up", "it has failed, and nothing was undone")
            return
        for standing in (self._known.standing, self._known.by(batch.written)):
            if not is_settling(standing, until) and not standing.unpaid():
                break
        else:
            rule = "what_is_done_is_undone" if self._known.standing.unpaid() else "settling_is_waited_for"
            self._known.complain(rule, f"it is {undo.goal} too early")
        undo.has_ended, undo.written = True, batch.written

    def _fire(self, passed: events.DeadlinePassed, until: int) -> None:
        standing = self._known.standing
        if passed.step is None:
            due = standing.sagas_deadline()
            standing.fired.add(SAGAS_OWN)
        else:
            runs = [run for run in standing.current() if self._is_open(run, passed)]
            dues = {standing.deadline_of(run): run for run in runs}
            due = passed.at if passed.at in dues else next(iter(dues), None)
            if due in dues:
                standing.fired.add((passed.step, dues[due].cause.seen.id, dues[due].epoch))
        if due is None or abs(due - passed.at) > standing.slack:
            text = f"the deadline of {passed.step or 'the saga'} fires at {passed.at}, and passes at {due}"
            self._known.complain("no_deadline_fires_before_its_time", text)
        if standing.definition.on_failure is OnFailure.COMPENSATE:
            self._begins = Undo("failed", until, standing.epoch, self._all_steps())

    def _is_open(self, run: Run, passed: events.DeadlinePassed) -> bool:
        is_same = run.step.name == passed.step and run.epoch == passed.epoch
        key = (run.step.name, run.cause.seen.id, run.epoch)
        return is_same and self._known.standing.outcome(run) is None and key not in self._known.standing.fired

    def _raise(self, incident: str, kind: str, step: str | None, batch: Batch) -> None:
        self._known.standing.incidents[incident] = (kind, step)
        standings = (self._known.standing, self._known.by(batch.written))
        if kind in {"ageing", "growing", "unknown_version"} or any(
            wanted_incidents(one)[kind, step] for one in standings
        ):
            return
        rule = "every_attempt_is_made" if kind == "step_failed" else "incidents_have_a_reason"
        self._known.complain(rule, f"the incident {kind} of {step or 'the saga'} has no reason")

    def _why_not(self, standing: Standing, seen: Seen, until: int) -> str | None:
        attempt = int(seen.headers.get("ce_attempt", "1"))
        if self._granted is not None and self._granted.cause.seen.id == seen.cause:
            is_next = attempt == self._granted.deliveries[-1].attempt + 1 and self._granted.step.name == seen.step
            return None if is_next else "attempts_are_counted"
        if seen.type == COMPENSATE:
            return why_not_compensate(standing, seen, attempt, until)
        return why_not_execute(standing, seen, attempt, until)

    def _take_note(self, seen: Seen, until: int) -> None:
        standing = self._known.standing
        fresh = self._granted is not None and self._granted.cause.seen.id == seen.cause
        self._granted = None if fresh else self._granted
        attempt = int(seen.headers.get("ce_attempt", "1"))
        if seen.type == COMPENSATE:
            outcome = standing.events.get(seen.cause)
            if outcome is None:
                return
            if standing.undo is not None and standing.undo.settled_at is None:
                standing.undo.settled_from, standing.undo.settled_at = standing.undo.at, until
            step = standing.definition.steps_by_name[seen.step]
            run = standing.undone.setdefault(seen.cause, Run(step, outcome, undoes=True))
        else:
            found = standing.runs.get((seen.step, seen.cause))
            if found is None:
                return
            run = found
            if standing.undo is not None and not standing.undo.is_over:
                standing.undo, fresh = None, True
        run.deliveries.append(Delivery(seen.id, attempt, seen.epoch, until, fresh))
