"""Complexity by the names of symbols."""

from __future__ import annotations

from tests.unit.services.ast.given import analysed, complexity


def test_functions_without_a_name_belong_to_the_one_around_them() -> None:
    source = "function f() {\n  a(function () { if (x) {} });\n  b(function () {});\n}\n"
    assert complexity(analysed("a.js", None, source)) == {
        "f": (None, 1),
        "f.(anonymous)": (None, 2),
        "f.(anonymous)#2": (None, 1),
    }


def test_comments_cannot_hide_a_function_from_lizard() -> None:
    source = "# GENERATED CODE\ndef f():\n    #lizard forgives\n    if x: pass\n"
    assert complexity(analysed("a.py", None, source)) == {"f": (None, 2)}


def test_a_signature_does_not_take_the_next_body() -> None:
    source = "trait T { fn a(&self); fn b(&self) { if x {} } }\nfn c() {}\n"
    assert complexity(analysed("a.rs", None, source)) == {"T.b": (None, 2), "c": (None, 1)}


def test_properties_of_one_name_are_numbered_like_their_symbols() -> None:
    getter = "    @property\n    def x(self):\n        return 1\n"
    source = f"class A:\n{getter}    @x.setter\n    def x(self, v):\n        if v: pass\n"
    assert complexity(analysed("a.py", None, source)) == {"A.x": (None, 1), "A.x#2": (None, 2)}


def test_lines_are_those_of_the_function() -> None:
    report = analysed("a.py", None, "\n\ndef f():\n    return 1\n")
    (function,) = report.analysis.complexity
    assert function.lines is not None
    assert (function.lines.start, function.lines.end) == (3, 4)
