"""Every changed file: its content by reference, or why it is skipped."""

from __future__ import annotations

import stat

import pygit2
import pytest

from kafka_saga.errors import RetryableError
from schemas.events.code_review import ChangeKind, PrValidated
from services.validator.handler import run_stages
from services.validator.limits import Limits
from tests.unit.services.validator.given import (
    Desk,
    Entry,
    Files,
    History,
    diff_event,
    git_event,
    lines_of,
    link,
    script,
    submodule,
)

CODE = b"".join(b"line %d\n" % number for number in range(1, 21))


def _changed(history: History, before: Files, after: Files) -> tuple[str, str]:
    base = history.commit(before)
    return base, history.commit(after, base)


def test_a_modified_file_has_both_sides_and_its_added_lines(history: History, desk: Desk) -> None:
    after = CODE.replace(b"line 5\n", b"five\nand a half\n").replace(b"line 9\n", b"")
    file = desk.files(git_event(history.folder, *_changed(history, {"src/a.py": CODE}, {"src/a.py": after})))[
        "src/a.py"
    ]
    assert (desk.before(file), desk.after(file)) == (CODE, after)
    assert (lines_of(file), file.additions, file.deletions) == ([(5, 6)], 2, 2)
    assert (file.change, file.language, file.partial, file.skipped) == (ChangeKind.MODIFIED, "python", None, None)


def test_the_event_lists_what_the_change_set_holds(history: History, desk: Desk) -> None:
    validated = desk.accepts(git_event(history.folder, *_changed(history, {}, {"a.go": b"1\n", "b.bin": b"\0"})))
    assert [(file.path, file.language, file.additions, file.skipped) for file in validated.files] == [
        ("a.go", "go", 1, None),
        ("b.bin", None, 0, "binary"),
    ]
    assert validated.stages[3].note == "1 files with content, 1 skipped"


def test_an_added_file_is_added_from_its_first_line(history: History, desk: Desk) -> None:
    file = desk.files(git_event(history.folder, *_changed(history, {}, {"a.py": CODE})))["a.py"]
    assert (file.change, file.before, lines_of(file)) == (ChangeKind.ADDED, None, [(1, 20)])


def test_a_deleted_file_keeps_what_it_was(history: History, desk: Desk) -> None:
    file = desk.files(git_event(history.folder, *_changed(history, {"a.py": CODE}, {})))["a.py"]
    assert (file.change, file.after, file.added, file.deletions) == (ChangeKind.DELETED, None, (), 20)
    assert desk.before(file) == CODE


def test_a_renamed_file_knows_its_old_path(history: History, desk: Desk) -> None:
    shas = _changed(history, {"a.py": CODE}, {"b/c.py": CODE + b"more\n"})
    file = desk.files(git_event(history.folder, *shas))["b/c.py"]
    assert (file.change, file.old_path, lines_of(file)) == (ChangeKind.RENAMED, "a.py", [(21, 21)])
    assert (desk.before(file), desk.after(file)) == (CODE, CODE + b"more\n")


def test_a_rename_without_changes_adds_nothing(history: History, desk: Desk) -> None:
    file = desk.files(git_event(history.folder, *_changed(history, {"a.py": CODE}, {"b.py": CODE})))["b.py"]
    assert (file.change, file.additions, file.deletions, file.skipped) == (ChangeKind.RENAMED, 0, 0, None)


def test_a_change_of_mode_adds_nothing(history: History, desk: Desk) -> None:
    file = desk.files(git_event(history.folder, *_changed(history, {"a.sh": CODE}, {"a.sh": script(CODE)})))["a.sh"]
    assert (file.change, file.added, file.skipped) == (ChangeKind.MODIFIED, (), None)


def test_an_empty_file_is_content_too(history: History, desk: Desk) -> None:
    shas = _changed(history, {"x.py": b"1"}, {"new.py": b"", "x.py": b""})
    files = desk.files(git_event(history.folder, *shas))
    assert (desk.after(files["new.py"]), desk.after(files["x.py"])) == (b"", b"")
    assert all(file.skipped is None for file in files.values())


def test_a_file_may_become_a_folder(history: History, desk: Desk) -> None:
    shas = _changed(history, {"a": CODE, "s": submodule("a" * 40)}, {"a/b.py": b"1\n", "s/c.py": b"2\n"})
    files = desk.files(git_event(history.folder, *shas))
    assert {path: file.change for path, file in files.items()} == {
        "a": ChangeKind.DELETED,
        "a/b.py": ChangeKind.ADDED,
        "s": ChangeKind.DELETED,
        "s/c.py": ChangeKind.ADDED,
    }


def test_line_ends_stay_as_they_are(history: History, desk: Desk) -> None:
    after = "é = 1\r\n\ufeff\rx\x0c\u2028y".encode()
    file = desk.files(git_event(history.folder, *_changed(history, {"a.py": b"1\r\n"}, {"a.py": after})))["a.py"]
    assert (desk.after(file), lines_of(file)) == (after, [(1, 2)])


@pytest.mark.parametrize(
    ("name", "file", "reason"),
    [
        ("a.png", b"\x89PNG\0", "binary"),
        ("a.txt", "ä".encode("utf-16"), "binary"),
        ("a.py", b"x = '\xe4'\n", "not UTF-8: byte 5 is 0xe4"),
        ("a.py", b"x" * 2_000_000, "too large: 2,000,000 bytes, limit 524,288"),
        ("a.py", b"x" * 11_000_000, "too large: 11,000,000 bytes, limit 524,288"),
        (
            "a.bin",
            b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n",
            "Git LFS pointer: the content",
        ),
        ("a.py", link("/etc/passwd"), "symbolic link: never followed"),
        ("dep", submodule("a" * 40), "submodule: its commits are in another repository"),
        ("yarn.lock", b"1\n", "lock file: written by a package tool"),
        ("web/jquery.min.js", b"1\n", "minified: written by a build tool"),
        ("node_modules/x/a.js", b"1\n", "vendored: written elsewhere"),
        ("../x.py", b"1\n", "the path leaves the repository"),
        (".git/hooks/pre-commit", b"1\n", "the path is inside .git"),
        ("\udce4.py", b"1\n", "the path is not UTF-8"),
        ("a\nb.py", b"1\n", "the path has control characters"),
        ("a\u202eyp.py", b"1\n", "the path has control characters"),
        ("C:x.py", b"1\n", "the path is absolute"),
        ("a/" * 600 + "x.py", b"1\n", "the path is longer than 1,024 bytes"),
    ],
)
def test_what_is_not_looked_at_is_listed_with_the_reason(
    history: History, desk: Desk, name: str, file: bytes | Entry, reason: str
) -> None:
    shas = _changed(history, {"ok.py": b"1\n"}, {"ok.py": b"2\n", name: file})
    files = desk.files(git_event(history.folder, *shas))
    assert files.pop("ok.py").skipped is None
    (skipped,) = files.values()
    assert (skipped.skipped or "").startswith(reason)
    assert (skipped.before, skipped.after, skipped.added) == (None, None, ())
    assert skipped.path.isprintable()


@pytest.mark.parametrize(
    ("before", "after", "reason"),
    [
        (CODE, link("x"), "symbolic link: never followed"),
        (link("x"), link("y"), "symbolic link: never followed"),
        (submodule("a" * 40), submodule("b" * 40), "submodule: its commits"),
        (b"\0", b"\0\0", "binary"),
        (b"x" * 600_000, b"short\n", "too large: 600,000 bytes"),
    ],
)
def test_a_change_of_what_is_no_text_is_skipped(
    history: History, desk: Desk, before: bytes | Entry, after: bytes | Entry, reason: str
) -> None:
    file = desk.files(git_event(history.folder, *_changed(history, {"a": before}, {"a": after})))["a"]
    assert (file.skipped or "").startswith(reason)


@pytest.mark.parametrize("before", [link("x"), b"\0binary", b"\xe4\n", submodule("a" * 40)])
def test_what_becomes_text_is_reviewed_without_a_before(history: History, desk: Desk, before: bytes | Entry) -> None:
    file = desk.files(git_event(history.folder, *_changed(history, {"a.py": before}, {"a.py": CODE})))["a.py"]
    assert (file.skipped, file.before, lines_of(file)) == (None, None, [(1, 20)])


def test_a_deleted_link_or_submodule_is_listed(history: History, desk: Desk) -> None:
    files = desk.files(git_event(history.folder, *_changed(history, {"l": link("x"), "s": submodule("a" * 40)}, {})))
    assert [(file.change, file.skipped is not None) for file in files.values()] == [(ChangeKind.DELETED, True)] * 2


def test_content_that_is_missing_in_a_partial_clone_is_said(history: History, desk: Desk) -> None:
    base, head = _changed(history, {"a.py": CODE}, {"a.py": CODE, "b.py": b"new\n"})
    oid = str(history.repository[head].peel(pygit2.Tree)["b.py"].id)
    path = history.folder / "objects" / oid[:2] / oid[2:]
    path.chmod(stat.S_IRUSR | stat.S_IWUSR)
    path.unlink()
    assert "missing in the repository" in (desk.files(git_event(history.folder, base, head))["b.py"].skipped or "")


def test_the_configuration_includes_and_excludes(history: History, desk: Desk) -> None:
    config = b"[review]\ninclude = ['src/**', '*.lock']\nexclude = ['src/old/']\n"
    before: Files = {".saga.toml": config}
    after = {"src/a.py": b"1\n", "src/old/b.py": b"1\n", "c.py": b"1\n", "yarn.lock": b"1\n"}
    files = desk.files(git_event(history.folder, *_changed(history, before, {**before, **after})))
    assert {path: file.skipped for path, file in files.items()} == {
        "c.py": "not included by .saga.toml",
        "src/a.py": None,
        "src/old/b.py": "excluded by .saga.toml",
        "yarn.lock": None,
    }


def test_git_attributes_of_the_base_decide_and_not_those_of_the_head(history: History, desk: Desk) -> None:
    attributes = b"# art\n*.svg binary\n*.gen.py linguist-generated\nvendor/** -linguist-vendored\n"
    before: Files = {".gitattributes": attributes}
    names = ("a.svg", "a.gen.py", "vendor/own.go", "evil.py")
    after: Files = {".gitattributes": attributes + b"evil.py binary\n", **dict.fromkeys(names, b"1\n")}
    files = desk.files(git_event(history.folder, *_changed(history, before, after)))
    assert {path: file.skipped for path, file in files.items()} == {
        ".gitattributes": None,
        "a.gen.py": "generated: .gitattributes of the base says so",
        "a.svg": "binary: .gitattributes of the base says so",
        "evil.py": None,
        "vendor/own.go": None,
    }


def test_above_the_bound_on_files_the_rest_is_skipped(history: History, desk: Desk) -> None:
    desk.limits = Limits(content_files=2)
    shas = _changed(history, {}, {"0.bin": b"\0"} | {f"{number}.py": b"%d\n" % number for number in range(1, 5)})
    reasons = [file.skipped for file in desk.files(git_event(history.folder, *shas)).values()]
    assert reasons == ["binary", None, None, *["more than 2 files with content in this pull request"] * 2]


def test_above_the_bound_on_content_the_rest_is_skipped(history: History, desk: Desk) -> None:
    desk.limits = Limits(content_bytes=5)
    shas = _changed(history, {}, {"a.py": b"123\n", "b.py": b"45\n", "c.py": b"6"})
    reasons = [file.skipped for file in desk.files(git_event(history.folder, *shas)).values()]
    assert reasons == [None, "more than 5 bytes of content in this pull request", None]


def test_above_the_bound_on_comparing_the_rest_is_skipped(history: History, desk: Desk) -> None:
    desk.limits = Limits(compared_bytes=5)
    shas = _changed(history, {}, {"a.py": b"123\n", "b.py": b"45\n"})
    reasons = [file.skipped for file in desk.files(git_event(history.folder, *shas)).values()]
    assert reasons == [None, "more than 5 bytes to compare in this pull request"]


def test_the_largest_pull_request_makes_an_event_well_under_a_megabyte(history: History, desk: Desk) -> None:
    names = {f"{'very' * 25}/{number:05}.py": b"%d\n" % number for number in range(5_000)}
    base, head = _changed(history, {}, names)
    event = git_event(history.folder, base, head, description="é" * 600_000, title="t" * 1000)
    validated = desk.accepts(event)
    assert len(validated.model_dump_json().encode()) < 700_000
    assert "change set all 5,000" in (validated.stages[3].note or "")
    assert len(desk.files(event)) == 5_000


def test_a_validation_that_nobody_waits_for_stops(history: History, desk: Desk) -> None:
    event = git_event(history.folder, *_changed(history, {}, {"a.py": b"1\n"}))
    context = desk.context(event)
    context.is_cancelled = True
    with pytest.raises(RetryableError, match="cancelled"):
        run_stages(event, context)


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("../../etc/passwd", "the path leaves the repository"),
        ("/etc/passwd", "the path is absolute"),
        ("..\\\\x", "the path leaves the repository"),
        ("C:/x", "the path is absolute"),
        (".GIT/config", "the path is inside .git"),
        ("a/.git. /x", "the path is inside .git"),
        ("GIT~1/x", "the path is inside .git"),
        (".g\u200cit/x", "the path is inside .git"),
        ("a//b", "the path is not in normal form"),
        ("a\\001b", "the path has control characters"),
        ("\\344.txt", "the path is not UTF-8"),
    ],
)
def test_a_diff_names_no_file_outside_the_repository(desk: Desk, path: str, reason: str) -> None:
    text = f'diff --git "a/{path}" "b/{path}"\n--- "a/{path}"\n+++ "b/{path}"\n@@ -1 +1 @@\n-old\n+new\n'
    outcome = desk.accepts(diff_event(text))
    assert isinstance(outcome, PrValidated)
    assert [file.skipped for file in outcome.files] == [reason]
