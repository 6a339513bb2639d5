from __future__ import annotations

from kafka_saga.console.sessions import LIFETIME, Session, Sessions

TOKEN = "a token of the console"  # noqa: S105


def test_a_session_is_read_as_it_was_sealed() -> None:
    sessions = Sessions(TOKEN)
    session = sessions.new(1000, may_act=True, author="Ada <3 ☃")
    assert sessions.open(sessions.seal(session), 1001) == session


def test_a_session_that_was_changed_is_none() -> None:
    sessions = Sessions(TOKEN)
    body, _, signature = sessions.seal(sessions.new(1000)).partition(".")
    raised = sessions.seal(Session("n", 10**10, may_act=True)).partition(".")[0]
    for forged in (f"{raised}.{signature}", body, f"{body}.", f".{signature}", "", "x.y", None):
        assert sessions.open(forged, 1001) is None


def test_a_session_ends() -> None:
    sessions = Sessions(TOKEN)
    sealed = sessions.seal(sessions.new(1000))
    assert sessions.open(sealed, 999 + LIFETIME) is not None
    assert sessions.open(sealed, 1000 + LIFETIME) is None


def test_another_token_ends_every_session() -> None:
    sealed = Sessions(TOKEN).seal(Session("n", 10**10, may_act=True))
    assert Sessions(TOKEN).open(sealed, 0) is not None
    assert Sessions("another token, as long").open(sealed, 0) is None


def test_without_a_token_nothing_is_the_token() -> None:
    sessions = Sessions(None)
    assert not any(map(sessions.is_token, ("", "None", TOKEN)))
    assert Sessions(TOKEN).is_token(TOKEN)
    assert not Sessions(TOKEN).is_token(TOKEN + " ")
    assert not Sessions(TOKEN).is_token("\ud800")


def test_a_form_is_of_its_own_session_only() -> None:
    sessions = Sessions(TOKEN)
    one, other = sessions.new(1000), sessions.new(1000)
    assert sessions.is_csrf(one, sessions.csrf(one))
    assert not sessions.is_csrf(other, sessions.csrf(one))
    assert not sessions.is_csrf(one, "")
