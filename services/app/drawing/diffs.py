"""A review as HTML: what was looked at, and the diff with the findings at their lines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from kafka_saga.console.drawing.markup import element
from kafka_saga.console.words import counted
from schemas.review import Coverage, Review, ReviewFile, ReviewFinding
from services.app.drawing.findings import anchor, card, chosen, severity_links
from services.app.drawing.patches import Change, Patch, Row, read, with_findings

LIMIT = 5000
"""How many lines of diff are shown at most."""

_SIGNS = {Change.ADDED: "+", Change.REMOVED: "-", Change.CONTEXT: "", Change.NOTE: ""}
_WORDS = {Change.ADDED: "added: ", Change.REMOVED: "removed: "}


def diff(review: Review, severities: Collection[str] = (), limit: int = LIMIT) -> Markup:
    """All of a review's files; of the findings only those of the chosen severities, if any are chosen."""
    sections = list(_sections(review, severities, limit))
    known = {file.path for file in review.files}
    rest = [one for one in review.findings_outside if one.path not in known]
    return element(
        "div",
        {"class": "draw-diff"},
        _coverage(review.coverage),
        severity_links(_counts(review), severities),
        _overview(sections),
        *_cut(sections, limit),
        *(_file(section) for section in sections),
        *_outside(chosen(rest, severities)),
        *_dropped(review.findings_dropped),
    )


@dataclass(frozen=True, slots=True)
class _Section:
    """A file with the part of its diff that is shown, and its findings at lines that are not shown."""

    file: ReviewFile
    patch: Patch
    rows: tuple[Row, ...]
    outside: tuple[ReviewFinding, ...]


def _sections(review: Review, severities: Collection[str], limit: int) -> Iterator[_Section]:
    for file in review.files:
        patch = Patch(()) if file.patch is None else read(file.patch, limit)
        beside = (one for one in review.findings_outside if one.path == file.path)
        rows, outside = with_findings(patch.rows, chosen((*file.findings, *beside), severities))
        limit -= len(rows)
        yield _Section(file, patch, rows, outside)


def _counts(review: Review) -> Mapping[str, int]:
    """Those that the page has; what the review itself counted may be more."""
    shown = (*(one for file in review.files for one in file.findings), *review.findings_outside)
    return Counter(one.severity for one in shown)


def _coverage(found: Coverage) -> Markup:
    """How many of the changed files were looked at."""
    parts = (("reviewed", found.reviewed), ("reviewed in part", found.partial), ("skipped", found.skipped))
    said = ", ".join(f"{count:,} {word}" for word, count in parts if count) or "none reviewed yet"
    share = element(
        "progress", {"max": max(found.files, 1), "value": found.reviewed, "aria-label": "Files reviewed"}, said
    )
    return element("p", {"class": "draw-coverage"}, share, f" {counted(found.files, 'changed file')}: {said}")


def _overview(sections: Sequence[_Section]) -> Markup:
    lines = (element("li", {}, _jump(one.file), *_numbers(one)) for one in sections)
    summary = element("summary", {}, counted(len(sections), "file"))
    return element("details", {"class": "draw-files"}, summary, element("ul", {}, *lines)) if sections else Markup("")


def _jump(file: ReviewFile) -> Markup:
    return element("a", {"href": f"#{anchor(file.path)}"}, file.path)


def _numbers(section: _Section) -> Iterator[Markup]:
    file = section.file
    if file.additions or file.deletions:
        yield element("span", {"class": "draw-plus"}, f"+{file.additions:,}")
        yield element("span", {"class": "draw-minus"}, f"-{file.deletions:,}")
    if count := sum(len(row.findings) for row in section.rows) + len(section.outside):
        yield element("span", {"class": "draw-count"}, counted(count, "finding"))


def _cut(sections: Sequence[_Section], limit: int) -> Iterator[Markup]:
    lines = sum(section.patch.left_out for section in sections)
    files = sum(section.patch.left_out > 0 for section in sections)
    if lines:
        said = f"This diff is cut after {limit:,} lines: {counted(lines, 'line')} of {counted(files, 'file')} are not"
        yield element("p", {"class": "draw-cut"}, f"{said} shown. Their findings are listed all the same.")


def _file(section: _Section) -> Markup:
    file = section.file
    renamed = f"{file.old_path} → " if file.old_path and file.old_path != file.path else ""
    return element(
        "section",
        {"class": "draw-file", "id": anchor(file.path), "aria-label": file.path},
        element(
            "h3",
            {"class": "draw-path"},
            element("code", {}, f"{renamed}{file.path}"),
            element("span", {"class": "draw-status"}, file.status),
            *_numbers(section),
        ),
        *(element("p", {"class": "draw-note"}, note) for note in _notes(section)),
        *_beside(section),
        *_table(section),
    )


def _notes(section: _Section) -> Iterator[str]:
    file = section.file
    if file.coverage not in {None, "reviewed"}:
        because = f": {file.coverage_reason}" if file.coverage_reason else ""
        yield f"{'Reviewed in part' if file.coverage == 'partial' else 'Not reviewed'}{because}"
    if file.skipped:
        yield from () if file.skipped == file.coverage_reason else (f"Not shown: {file.skipped}",)
    elif file.patch is None:
        yield "The content of this file is not known here."
    elif section.patch.problem is not None:
        yield section.patch.problem
    elif section.patch.left_out:
        yield f"{counted(section.patch.left_out, 'line')} of this file are not shown."
    elif not section.rows:
        yield "No line was changed."


def _beside(section: _Section) -> Iterator[Markup]:
    """Its findings at lines that the diff does not show."""
    if section.outside:
        title = element("h4", {}, f"At lines that are not shown: {counted(len(section.outside), 'finding')}")
        cards = (card(one, place="") for one in section.outside)
        yield element("div", {"class": "draw-beside-diff"}, title, *cards)


def _table(section: _Section) -> Iterator[Markup]:
    if not section.rows:
        return
    caption = element("caption", {"class": "draw-unseen"}, f"Changes of {section.file.path}")
    names = ("old line", "new line", "change", "content")
    heads = (element("th", {"scope": "col"}, name) for name in names)
    head = element("thead", {"class": "draw-unseen"}, element("tr", {}, *heads))
    rows = (line for row in section.rows for line in _lines(section.file.path, row))
    table = element("table", {}, caption, head, element("tbody", {}, *rows))
    scrolled = {"class": "draw-lines", "tabindex": "0", "role": "group", "aria-label": f"Diff of {section.file.path}"}
    yield element("div", scrolled, table)


def _lines(path: str, row: Row) -> Iterator[Markup]:
    if row.change is Change.HUNK:
        cell = element("td", {"colspan": "4"}, row.text)
        yield element("tr", {"class": "is-hunk"}, cell)
        return
    number = "" if row.new is None else element("a", {"href": f"#{anchor(path, row.new)}"}, str(row.new))
    yield element(
        "tr",
        {"class": f"is-{row.change}", "id": None if row.new is None else anchor(path, row.new)},
        element("td", {"class": "draw-number"}, "" if row.old is None else str(row.old)),
        element("td", {"class": "draw-number"}, number),
        element("td", {"class": "draw-sign", "aria-hidden": "true"}, _SIGNS[row.change]),
        element("td", {"class": "draw-code"}, _unseen(_WORDS.get(row.change, "")), row.text),
    )
    if row.findings:
        cards = (card(one) for one in row.findings)
        cell = element("td", {"colspan": "4"}, element("div", {"class": "draw-cards"}, *cards))
        yield element("tr", {"class": "is-finding"}, cell)


def _unseen(said: str) -> Markup:
    return element("span", {"class": "draw-unseen"}, said) if said else Markup("")


def _outside(findings: Sequence[ReviewFinding]) -> Iterator[Markup]:
    if findings:
        title = element("h3", {}, "Findings outside of the changed files")
        cards = (card(one, place=one.path or "no file") for one in findings)
        yield element("section", {"class": "draw-outside"}, title, *cards)


def _dropped(count: int) -> Iterator[Markup]:
    if count:
        yield element(
            "p", {"class": "draw-cut"}, f"{counted(count, 'finding')} more were dropped by the review's limits."
        )
