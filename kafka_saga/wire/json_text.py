"""JSON objects from bytes: UTF-8 without a byte order mark, every name once, no NaN (RFC 8259, 4, 6, 8.1)."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from kafka_saga.errors import DecodeError, DecodeProblem

_BYTE_ORDER_MARKS = {
    b"\xef\xbb\xbf": "UTF-8",
    b"\xff\xfe": "UTF-16",
    b"\xfe\xff": "UTF-16",
}


def json_object(value: bytes, otherwise: str = "is not JSON") -> dict[str, Any]:
    """The object in `value`. Raises DecodeError that says what is wrong and where; `otherwise` is what it is else."""
    try:
        fields = msgspec.json.decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _not_json(value, str(error), otherwise) from None
    except RecursionError:
        raise _malformed("JSON is nested too deeply") from None
    if not isinstance(fields, dict):
        raise DecodeError(DecodeProblem.WRONG_TYPE, "value", f"is a JSON {_NAMES[type(fields)]}, not an object")
    _refuse_repeated_names(value)
    return fields


_NAMES = {list: "array", str: "string", int: "number", float: "number", bool: "boolean", type(None): "null"}


class _RepeatedNameError(Exception):
    """An object has two values for a name; readers would disagree about which of them counts."""


def _refuse_repeated_names(value: bytes) -> None:
    try:
        json.loads(value, object_pairs_hook=_names_once)
    except _RepeatedNameError as error:
        raise _malformed(f"the name {error} is given twice in one JSON object") from None
    except RecursionError:
        raise _malformed("JSON is nested too deeply") from None
    except ValueError as error:  # the two parsers disagree: trust neither
        raise _malformed(f"is not JSON: {error}") from None


def _names_once(pairs: list[tuple[str, object]]) -> None:
    names: set[str] = set()
    for name, _ in pairs:
        if name in names:
            raise _RepeatedNameError(repr(name[:80]))
        names.add(name)


def _not_json(value: bytes, message: str, otherwise: str) -> DecodeError:
    for mark, encoding in _BYTE_ORDER_MARKS.items():
        if value.startswith(mark):
            return _malformed(f"begins with a byte order mark ({encoding}): write plain UTF-8")
    if _has_lone_surrogate(value):
        return _malformed("a text has half of a surrogate pair (\\ud800 to \\udfff)")
    problem = DecodeProblem.TRUNCATED if "truncated" in message else DecodeProblem.MALFORMED
    return DecodeError(problem, "value", f"{otherwise}: {message}; it begins with {value[:20]!r}")


def _has_lone_surrogate(value: bytes) -> bool:
    """Whether this is JSON but for an escaped half of a surrogate pair, which UTF-8 cannot carry."""
    try:
        text = json.dumps(json.loads(value), ensure_ascii=False)
        text.encode()
    except UnicodeEncodeError:
        return True
    except (ValueError, RecursionError):
        return False
    return False


def _malformed(what: str) -> DecodeError:
    return DecodeError(DecodeProblem.MALFORMED, "value", what)
