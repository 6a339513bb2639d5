"""What is done to the processes in a run of chaos."""

from __future__ import annotations

import pytest

from tests.chaos.blows import CALM, SESSION, Victim, blows

TEN_MINUTES = 600.0


@pytest.mark.parametrize("seed", range(5))
def test_ten_minutes_have_sixty_kills_and_everybody_is_killed(seed: int) -> None:
    kills = [blow for blow in blows(seed, TEN_MINUTES) if blow.is_kill]
    assert len(kills) >= 60
    assert {blow.victim for blow in kills} == set(Victim)


def test_a_seed_decides_every_blow() -> None:
    assert blows(7, TEN_MINUTES) == blows(7, TEN_MINUTES)
    assert blows(7, TEN_MINUTES) != blows(8, TEN_MINUTES)


def test_processes_are_stopped_for_longer_than_their_session() -> None:
    stops = [blow for blow in blows(1, TEN_MINUTES) if not blow.is_kill and blow.victim is not Victim.BROKER]
    assert stops
    assert all(blow.down > SESSION for blow in stops)


def test_blows_come_in_order_and_leave_the_beginning_and_the_end_alone() -> None:
    times = [blow.at for blow in blows(1, TEN_MINUTES)]
    assert times == sorted(times)
    assert min(times) >= CALM
    assert max(times) <= TEN_MINUTES - CALM
