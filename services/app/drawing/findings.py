"""Findings as cards, and the links that choose by severity."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from urllib.parse import quote, urlencode

from markupsafe import Markup

from kafka_saga.console.drawing.marks import ALERT, RING, PictureTone, icon
from kafka_saga.console.drawing.markup import classes, element
from kafka_saga.console.words import counted
from schemas.review import ReviewFinding

SEVERITIES = {
    "critical": (PictureTone.BAD, ALERT),
    "high": (PictureTone.BAD, ALERT),
    "medium": (PictureTone.WARN, ALERT),
    "low": (PictureTone.WORK, RING),
    "info": (PictureTone.OFF, RING),
}
"""How each severity looks, the worst first: its tone and its sign."""


def chosen(findings: Iterable[ReviewFinding], severities: Collection[str]) -> tuple[ReviewFinding, ...]:
    """The findings of the severities that were chosen; without a choice, all. The worst first."""
    found = (one for one in findings if not severities or one.severity in severities)
    return tuple(sorted(found, key=lambda one: (_rank(one.severity), one.line)))


def card(finding: ReviewFinding, *, place: str | None = None) -> Markup:
    """A finding; with `place` if its line is not the one above."""
    names = classes("draw-finding", f"tone-{_look(finding.severity)[0]}")
    return element(
        "article",
        {"class": names, "data-severity": finding.severity},
        element(
            "p",
            {"class": "draw-finding-head"},
            icon(*_look(finding.severity)),
            element("strong", {"class": "draw-severity"}, finding.severity),
            element("code", {}, finding.rule),
            *(element("span", {"class": "draw-where"}, one) for one in _where(finding, place)),
        ),
        element("p", {"class": "draw-message"}, finding.message),
        *_suggestion(finding),
    )


def _where(finding: ReviewFinding, place: str | None) -> Iterator[str]:
    lines = f"line {finding.line}" if finding.end_line in {None, finding.line} else _range(finding)
    if place is not None or finding.end_line not in {None, finding.line}:
        yield f"{place}, {lines}" if place else lines
    if finding.category:
        yield finding.category
    yield f"{round(finding.confidence * 100)} % sure"


def _range(finding: ReviewFinding) -> str:
    return f"lines {finding.line} to {finding.end_line}"


def _suggestion(finding: ReviewFinding) -> Iterator[Markup]:
    if finding.evidence:
        yield element("p", {"class": "draw-evidence"}, "Evidence: ", element("code", {}, finding.evidence))
    if finding.suggestion:
        yield element("p", {"class": "draw-suggestion-word"}, "Suggestion")
        yield element("pre", {"class": "draw-suggestion", "tabindex": "0"}, element("code", {}, finding.suggestion))


def severity_links(counts: Mapping[str, int], severities: Collection[str]) -> Markup:
    """A link for each severity that there is, that adds it to the choice or takes it away; and one for all."""
    known = [one for one in dict.fromkeys((*SEVERITIES, *counts)) if counts.get(one)]
    everything = _link("?", f"all {counted(sum(counts.values()), 'finding')}", not severities, Markup(""))
    links = (_severity_link(one, counts[one], severities) for one in known)
    return element("nav", {"class": "draw-severities", "aria-label": "Findings by severity"}, everything, *links)


def _severity_link(severity: str, count: int, severities: Collection[str]) -> Markup:
    others = [one for one in severities if one != severity]
    toggled = others if severity in severities else [*others, severity]
    href = "?" + urlencode([("severity", one) for one in toggled], errors="replace")
    return _link(href, f"{severity} {count:,}", severity in severities, icon(*_look(severity)))


def _link(href: str, said: str, is_chosen: bool, sign: Markup) -> Markup:
    attributes = {"href": href, "class": "draw-choice", "aria-current": "true" if is_chosen else None}
    return element("a", attributes, sign, " " if sign else "", said)


def anchor(path: str, line: int | None = None) -> str:
    """The id of a file, or of a line of it: `src/app.py:12`; without the signs that an id may not hold."""
    return (quote(path, safe="/", errors="replace") or "-") + ("" if line is None else f":{line}")


def _look(severity: str) -> tuple[PictureTone, str]:
    return SEVERITIES.get(severity, (PictureTone.PLAIN, RING))


def _rank(severity: str) -> int:
    return list(SEVERITIES).index(severity) if severity in SEVERITIES else len(SEVERITIES)
