"""Dead letters are listed and shown, whatever is in them."""

from __future__ import annotations

import pytest

from kafka_saga.broker.records import Record
from kafka_saga.cli.render.bytes import preview
from kafka_saga.cli.render.letters import letter_json, letter_table, letter_view
from kafka_saga.engine.outgoing import dead_letter
from kafka_saga.errors import ChoreographyError
from kafka_saga.inspection.log.dead_letters import dead_letters, letter_at
from tests.unit.kafka_saga.cli.given import HOSTILE, log_with, shown

RECORD = Record("pr.received", 2, 41, 0, b"acme", b"\x00\x01not json", [("x-note", HOSTILE.encode(errors="replace"))])
TEXT = Record("pr.received", 0, 3, 0, None, '{"a": "ä"}'.encode(), [])


def test_they_are_listed_with_place_source_and_reason() -> None:
    cluster = log_with({}, dead_letter(RECORD, "is no JSON", "validator"), dead_letter(TEXT, HOSTILE, "validator"))
    found = dead_letters(cluster)
    text = shown(letter_table(found), 120)
    assert {letter.place for letter in found} == {"2/0", "0/0"}
    assert "pr.received[2]@41" in text
    assert "is no JSON" in text
    assert "\x1b" not in text


def test_one_is_shown_with_its_headers_and_a_hex_dump() -> None:
    cluster = log_with({}, dead_letter(RECORD, "is no JSON", "validator"))
    text = shown(letter_view(letter_at(cluster, "2/0")))
    for said in ("is no JSON", "pr.received[2]@41", "x-note: ", "00 01 6e 6f 74", "..not json"):
        assert said in text
    assert "\x1b" not in text


def test_scripts_get_text_and_base64() -> None:
    cluster = log_with({}, dead_letter(RECORD, "r", "v"), dead_letter(TEXT, "r", "v"))
    raw, text = letter_json(letter_at(cluster, "2/0")), letter_json(letter_at(cluster, "0/0"))
    assert (raw.value, raw.value_base64) == (None, "AAFub3QganNvbg==")
    assert (text.value, text.key_base64) == ('{"a": "ä"}', None)


@pytest.mark.parametrize(("place", "said"), [("x", "no place"), ("9/0", "no partition 9"), ("1/5", "No dead letter")])
def test_a_place_where_none_lies_is_refused(place: str, said: str) -> None:
    with pytest.raises(ChoreographyError, match=said):
        letter_at(log_with({}), place)


def test_long_values_are_cut_at_a_whole_character() -> None:
    text = shown(preview(("ä" * 400).encode()), 600)
    assert "\N{LATIN SMALL LETTER A WITH DIAERESIS}" * 255 in text
    assert "more bytes" in text
    assert shown(preview(None)) == "(no value)\n"
