"""What counts as a change of a symbol."""

from __future__ import annotations

import pytest

from tests.unit.services.ast.given import analysed, symbols


@pytest.mark.parametrize(
    ("path", "before", "after"),
    [
        ("a.py", "def f(a, b):\n    return g(a, b)\n", "def f(\n    a,\n    b\n):\n    return g(\n        a, b)\n"),
        ("a.py", "def f():\n    return 1\n", "# said\ndef f():\n    # why\n    return 1  # so\n"),
        ("a.py", "def f(): pass\ndef g(): pass\n", "def g(): pass\n\n\ndef f(): pass\n"),
        ("a.js", "function f() { return 1; }", "function f()\n{\n  return 1; // one\n}"),
        ("a.tsx", "const F = () => <p>hello there</p>;", "const F = () => <p>\n  hello there\n</p>;"),
        ("a.go", "package m\nfunc f() {}\n", "package m\n\n// f does.\nfunc f() { /* nothing */ }\n"),
        ("a.rs", "fn f() { g(1) }", "/// Does.\nfn f() {\n    g(1)\n}"),
    ],
)
def test_layout_comments_and_order_change_nothing(path: str, before: str, after: str) -> None:
    assert symbols(analysed(path, before, after)) == []


@pytest.mark.parametrize(
    ("path", "before", "after"),
    [
        ("a.py", "def f():\n  if a:\n    b()\n    c()\n", "def f():\n  if a:\n    b()\n  c()\n"),
        ("a.py", "def f():\n  return\n  x\n", "def f():\n  return x\n"),
        ("a.py", "def f():\n  return 'a b'\n", "def f():\n  return 'a  b'\n"),
        ("a.py", "def f():\n  return 'a\\n b'\n", "def f():\n  return 'a\\n  b'\n"),
        ("a.py", "def f():\n  'Says a.'\n", "def f():\n  'Says b.'\n"),
        ("a.py", "@a\ndef f(): pass\n", "@b\ndef f(): pass\n"),
        ("a.js", "function f() { return\nx }", "function f() { return x }"),
        ("a.js", "function f() { return `a ${b} c`; }", "function f() { return `a ${b}  c`; }"),
        ("a.js", "function f() {}", "export function f() {}"),
        ("a.rs", "fn f() {}", "#[inline]\nfn f() {}"),
        ("a.rs", 'fn f() { g("a\\n b") }', 'fn f() { g("a\\n  b") }'),
        ("a.go", 'package m\nfunc f() { g("a\\n b") }\n', 'package m\nfunc f() { g("a\\n  b") }\n'),
        ("A.java", 'class A { void f() { g("a\\n b"); } }', 'class A { void f() { g("a\\n  b"); } }'),
    ],
)
def test_structure_literals_and_decorators_are_content(path: str, before: str, after: str) -> None:
    (symbol,) = symbols(analysed(path, before, after))
    assert symbol.startswith("changed ")


def test_a_changed_method_leaves_its_class_alone() -> None:
    before = "class A:\n    x = 1\n    def m(self): return 1\n"
    assert symbols(analysed("a.py", before, before.replace("return 1", "return 2"))) == ["changed method A.m 3-3"]
    assert symbols(analysed("a.py", before, before.replace("x = 1", "x = 2"))) == ["changed class A 1-3"]


@pytest.mark.parametrize(
    ("path", "before", "after"),
    [
        (
            "a.py",
            "class A:\n  def m(self): pass\n",
            "class A:\n  @cached\n  def m(self): pass\n  @x\n  def n(self): pass\n",
        ),
        ("a.js", "class A { m() {} }", "class A { n = () => 1; m() { return 1; }; }"),
        ("a.js", "const o = { m() {} };", "const o = { m() {}, k: () => 1 };"),
        ("a.js", "function f() { x(); }", "function f() { const g = () => 1; x(); }"),
        ("a.ts", "namespace N { }", "namespace N { export function f() {} export const g = () => 1; }"),
        ("a.ts", "interface I { m(): void }", "interface I { m(): void; n(): void; }"),
        ("A.java", "class A { }", "class A { @Override void m() {} enum E { X } }"),
        ("a.rs", "trait T { }", "trait T { #[must_use] fn m(&self); }"),
    ],
)
def test_symbols_inside_are_reported_instead_of_what_is_around_them(path: str, before: str, after: str) -> None:
    inner = symbols(analysed(path, before, after))
    assert inner
    assert all("." in line for line in inner)


def test_a_kind_that_changes_is_removed_and_added() -> None:
    assert symbols(analysed("a.ts", "interface A {}", "class A {}")) == ["added class A 1-1", "removed interface A 1-1"]


def test_an_overload_put_before_the_others_is_the_only_one_added() -> None:
    before = "class A { void f(int a) { one(); } void f(long a) { two(); } }"
    after = before.replace("{ void", "{ void f(byte a) { none(); } void", 1)
    assert symbols(analysed("A.java", before, after)) == ["added method A.f 1-1"]


def test_an_implementation_is_a_symbol_of_its_own() -> None:
    assert symbols(analysed("a.rs", "unsafe impl Send for A {}", "")) == ["removed impl Send for A 1-1"]
