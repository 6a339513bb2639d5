"""What a definition is said to mean: which statement counts, and how a difference is told."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kafka_saga.definition.durations import minutes
from kafka_saga.definition.model import OnFailure, Retry, Saga, Step, in_full
from kafka_saga.errors import TopologyError
from kafka_saga.steps.definition_registry import (
    Statement,
    decode,
    differences,
    encode,
    overruled,
    refuse_drift,
    standing,
    stated,
    triggers,
)
from tests.chain.definition import CHAIN, FourDone, ThreeDone

EARLIER = Statement("chain", 1, "aaaa", {})
LATER = Statement("chain", 1, "bbbb", {})
OTHER = Statement("chain", 2, "cccc", {})


def in_other_words(saga: Saga) -> Statement:
    """With every default, as earlier versions of this package stated it."""
    return Statement(saga.name, saga.version, "an earlier hash", in_full(saga.describe()))


def changed(**fields: object) -> Saga:
    """The chain, with another second step."""
    one, two, *rest = CHAIN.steps
    return replace(CHAIN, steps=(one, replace(two, **fields), *rest))  # type: ignore[arg-type]


def told(before: Saga, after: Saga) -> list[str]:
    return sorted(differences(stated(before).definition, stated(after).definition))


def test_a_statement_survives_its_encoding() -> None:
    assert decode(encode(stated(CHAIN))) == stated(CHAIN)
    assert stated(CHAIN).key == "chain@1"


def test_the_first_statement_of_a_version_counts_and_is_to_be_the_last_one_too() -> None:
    found = [EARLIER, OTHER, LATER]

    assert standing(found) == {"chain@1": EARLIER, "chain@2": OTHER}
    assert overruled(found) == [EARLIER]
    assert overruled([*found, EARLIER]) == []


def test_a_difference_is_told_by_where_it_is() -> None:
    assert told(CHAIN, changed(timeout=minutes(2))) == ["steps.two.timeout: 300 -> 120"]
    assert told(CHAIN, changed(deadline=minutes(2))) == ["steps.two.deadline: none -> 120"]
    assert told(CHAIN, changed(retry=Retry(attempts=3))) == ["steps.two.retry.attempts: 5 -> 3"]
    assert told(CHAIN, changed(compensates=True)) == ["steps.two.compensates: false -> true"]
    assert told(CHAIN, changed(emits=(ThreeDone,))) == ['steps.two.emits: ["two.done"] -> ["three.done"]']
    assert told(CHAIN, replace(CHAIN, on_failure=OnFailure.COMPENSATE)) == ["on_failure: incident -> compensate"]


def test_of_steps_that_came_or_went_the_names_are_told() -> None:
    added = replace(CHAIN, steps=(*CHAIN.steps, Step("five", on=FourDone, emits=(ThreeDone,))))

    assert told(CHAIN, added) == ["steps: one, two, three, four -> one, two, three, four, five"]
    assert told(CHAIN, replace(CHAIN, steps=CHAIN.steps[::-1])) == [
        "steps: one, two, three, four -> four, three, two, one"
    ]


def test_what_triggers_what_is_known_of_each_version_of_a_definition() -> None:
    later = replace(CHAIN, version=2, steps=CHAIN.steps[:2])
    known = [stated(CHAIN), stated(later), Statement("other", 1, "", {})]

    assert triggers(known, "chain")[2] == {("one", "chain.started"), ("two", "one.done")}
    assert triggers(known, "chain").keys() == {1, 2}
    assert len(triggers(known, "chain")[1]) == 4


def test_nothing_differs_between_a_definition_and_itself() -> None:
    assert told(CHAIN, CHAIN) == []
    refuse_drift([stated(CHAIN)], {"chain@1": stated(CHAIN)})
    refuse_drift([stated(CHAIN)], {"chain@2": OTHER})


def test_the_same_version_with_other_content_is_refused_with_what_differs_and_what_to_do() -> None:
    mine, known = stated(changed(timeout=minutes(2))), stated(CHAIN)
    with pytest.raises(TopologyError) as refused:
        refuse_drift([mine], {"chain@1": known})

    assert str(refused.value) == (
        f"definition chain v1 is deployed with other content: saga.definitions has hash {known.hash}, this process "
        f"{mine.hash} (steps.two.timeout: 300 -> 120). Give the changed definition version=2, "
        "or go back to what is deployed."
    )


def test_of_many_differences_the_first_are_told_and_the_rest_is_counted() -> None:
    everything = replace(
        CHAIN, steps=tuple(replace(step, timeout=minutes(1), compensates=True) for step in CHAIN.steps)
    )
    with pytest.raises(TopologyError, match=r"; and 2 more\)"):
        refuse_drift([stated(everything)], {"chain@1": stated(CHAIN)})


def test_the_same_content_in_other_words_is_no_drift() -> None:
    refuse_drift([stated(CHAIN)], {"chain@1": in_other_words(CHAIN)})
    refuse_drift([in_other_words(CHAIN)], {"chain@1": stated(CHAIN)})


def test_other_content_in_other_words_is_refused_with_what_differs_alone() -> None:
    with pytest.raises(TopologyError, match=r"\(steps\.two\.timeout: 120 -> 300\)"):
        refuse_drift([stated(CHAIN)], {"chain@1": in_other_words(changed(timeout=minutes(2)))})


def test_an_option_of_a_later_version_that_is_used_is_other_content() -> None:
    later = Statement("chain", 1, "a later hash", {**stated(CHAIN).definition, "lane": "fast"})
    with pytest.raises(TopologyError, match=r"\(lane: fast -> none\)"):
        refuse_drift([stated(CHAIN)], {"chain@1": later})


def test_the_words_that_came_first_are_to_be_the_last_ones_too() -> None:
    """Else compaction would leave words that an earlier version, which compares hashes alone, refuses."""
    first, ours = in_other_words(CHAIN), stated(CHAIN)
    assert overruled([first, ours]) == [first]
    assert overruled([first, ours, first]) == []
