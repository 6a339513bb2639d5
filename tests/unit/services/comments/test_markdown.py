"""The review as Markdown: what people see, and that what strangers write stays text."""

from __future__ import annotations

import string
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from schemas.events.code_review import CoverageStatus, FileCoverage, Severity, Verdict
from services.comments.escaping import block, code, one_line, plain, visible
from services.comments.markdown import as_markdown
from tests.unit.services.comments.given import FINDINGS, PULL_REQUEST, many, review

GOLDEN = Path(__file__).parent / "review.md"
GITHUB = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
NASTY = [
    "<script>alert(1)</script>", "<img src=x onerror=y>", "[click](https://evil.example)", "<!-- x -->", "--> <b>",
    "![x](https://evil.example/p.png)", "```\nescape\n```", "| a | b |", "@everyone", "# heading", "- item", "1. item",
    "1) item", "+ item", "> quote", "---", "***", "~~gone~~", "a\n\n## b", "</details>", "https://evil.example",
    "www.evil.example", "\u202eevil", "$x^2$", "\\", "`", "|", "a\\|b", "&lt;b&gt;", "    code", "=====", "*a*", "_a_",
    "[ref]: https://evil.example", ":smile:", "\x00\x07\x1b[31m", "``` `", "`|`", "mailto:a@b.example",
]  # fmt: skip
HOSTILE = st.one_of(
    st.sampled_from(NASTY),
    st.lists(st.sampled_from(NASTY), min_size=2, max_size=4).map(" ".join),
    st.text(
        alphabet=st.one_of(st.sampled_from(string.punctuation + " \n\t"), st.characters(codec="utf-8")), max_size=80
    ),
)


def tokens(markdown: str) -> list[Token]:
    """All tokens, inline ones too."""
    return [inner for token in GITHUB.parse(markdown) for inner in (token, *(token.children or ()))]


def shape(markdown: str) -> list[str]:
    """The kinds of all tokens but text: what a reader sees as structure."""
    return [token.type for token in tokens(markdown) if token.type not in {"text", "text_special"}]


def shown(markdown: str) -> str:
    """The text that a reader sees."""
    return "".join(token.content for token in tokens(markdown) if token.type in {"text", "text_special", "code_inline"})


@given(HOSTILE)
def test_plain_text_is_shown_as_it_is_and_makes_no_structure(text: str) -> None:
    rendered = f"x{plain(text)}x"
    assert set(shape(rendered)) == {"paragraph_open", "inline", "paragraph_close"}
    assert shown(rendered).replace("\u2060", "") == f"x{one_line(text)}x".replace("\u2060", "")


@given(HOSTILE)
def test_plain_text_makes_no_structure_at_the_start_of_a_line(text: str) -> None:
    assert set(shape(plain(text))) <= {"paragraph_open", "inline", "paragraph_close"}


@given(HOSTILE)
def test_a_code_span_is_one_span_also_in_a_table(text: str) -> None:
    assert shape(code(text)).count("code_inline") == 1
    table = f"| A | B |\n| --- | --- |\n| {code(text, in_table=True)} | {plain(text)} |"
    kinds = shape(table)
    assert (kinds.count("code_inline"), kinds.count("td_open"), kinds.count("tr_open")) == (1, 2, 2)


@given(HOSTILE)
def test_a_code_block_cannot_be_left(text: str) -> None:
    [fence] = GITHUB.parse(block(text, "py"))
    assert (fence.type, fence.info) == ("fence", "py")
    assert fence.content == visible(text.replace("\r\n", "\n"), keep="\n\t") + "\n"


@given(HOSTILE, HOSTILE)
def test_hostile_text_changes_nothing_of_the_form_of_a_review(one: str, other: str) -> None:
    def with_texts(message: str, path: str) -> str:
        found = FINDINGS[0].model_copy(
            update={
                "message": message,
                "path": path,
                "suggestion": message,
                "evidence": f"x{message}",
                "rule_id": path,
                "category": path,
            }
        )
        covered = FileCoverage(path=path, status=CoverageStatus.PARTIAL, reason=message)
        pr = PULL_REQUEST.model_copy(update={"title": message, "author": "a" + path})
        return as_markdown(review((found, found), most=1, coverage=(covered,)).model_copy(update={"pull_request": pr}))

    assume(one.strip() and other.strip())
    assert shape(with_texts(one, other)) == shape(with_texts("harmless", "harmless"))


@pytest.mark.parametrize("text", ["@everyone", "a@b.example"])
def test_nobody_is_mentioned(text: str) -> None:
    assert text not in plain(text)
    assert plain(text).replace("\u2060", "").replace("\\", "") == text


def test_what_would_not_be_seen_is_made_visible() -> None:
    assert plain("a\u202eb") == "a⟨U+202E⟩b"
    assert block("a\x1bb") == "```\na⟨U+001B⟩b\n```"


def test_a_review_reads_well() -> None:
    assert as_markdown(review(most=2)) == GOLDEN.read_text(encoding="utf-8")


def test_a_clean_review_says_so() -> None:
    covered = (FileCoverage(path="a.py", status=CoverageStatus.REVIEWED),)
    text = as_markdown(review((), verdict=Verdict.CLEAN, coverage=covered))
    assert "**Clean.**" in text
    assert "## Comments" not in text


def test_dropped_findings_are_counted() -> None:
    assert "12 less severe findings are beyond the bound" in as_markdown(review(findings_dropped=12))


def test_long_tables_are_folded() -> None:
    coverage = tuple(FileCoverage(path=f"f{n}.py", status=CoverageStatus.REVIEWED) for n in range(21))
    assert "<summary>21 rows</summary>" in as_markdown(review(coverage=coverage))


def test_the_rest_is_summarised_by_file_and_rule() -> None:
    text = as_markdown(review(many(90), most=0))
    lines = "4, 8, 12, 16, 20, 24, 28, 32, 36, 40, …"
    assert f"| `shop/cart.py` | `ruff/T201` | {Severity.LOW.value} | 22 | {lines} |" in text


@pytest.mark.parametrize(
    "text", ["https://evil.example", "HTTP://evil.example", "www.evil.example", "ftp://evil.example"]
)
def test_no_address_becomes_a_link(text: str) -> None:
    # GitHub links bare addresses; a backslash inside breaks them for its parser and is not shown (GFM 6.9)
    assert text not in plain(text)
    assert shown(plain(text)) == text
