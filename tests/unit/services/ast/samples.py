"""One file before and after in each language, with what the service has to say about it."""

from __future__ import annotations

from typing import NamedTuple


class Sample(NamedTuple):
    path: str
    before: str
    after: str
    symbols: list[str]
    complexity: dict[str, tuple[int | None, int | None]]


PYTHON = Sample(
    "shop/cart.py",
    """\
RATE = 0.19

class Cart:
    size = 0

    def total(self):
        return sum(self.items)

    def gone(self):
        pass


def untouched(x):
    def inner():
        return 1
    return inner
""",
    """\
RATE = 0.2

class Cart:
    size = 0

    @property
    # cached elsewhere
    @checked
    def total(self):
        if self.items and RATE:
            return sum(self.items) * RATE
        return 0


def untouched(x):
    def inner():
        return 2
    return inner

async def größe(a):
    return a
""",
    [
        "changed variable RATE 1-1",
        "changed method Cart.total 6-12",
        "removed method Cart.gone 9-10",
        "changed function untouched.inner 16-17",
        "added function größe 20-21",
    ],
    {
        "Cart.total": (1, 3),
        "untouched.inner": (1, 1),
        "untouched": (1, 1),
        "größe": (None, 1),
        "Cart.gone": (1, None),
    },
)

JAVASCRIPT = Sample(
    "cart.js",
    """\
class Cart {
  total() { return 0; }
  #secret() {}
}
const tax = (x) => x;
export const rate = 1;
const api = { list() { return 1; } };
""",
    """\
class Cart extends Base {
  total() { return this.items ? 1 : 0; }
  #secret() {}
  static make = () => new Cart();
}
const tax = (x) => x && x * 2;
export const rate = 2;
const api = { list() { return 2; } };
Cart.prototype.clear = function () {};
export default function () {}
""",
    [
        "changed class Cart 1-5",
        "changed method Cart.total 2-2",
        "added method Cart.make 4-4",
        "changed function tax 6-6",
        "changed variable rate 7-7",
        "changed method api.list 8-8",
        "added function Cart.prototype.clear 9-9",
        "added function default 10-10",
    ],
    {
        "Cart.total": (1, 2),
        "Cart.#secret": (1, 1),
        "Cart.make": (None, 1),
        "tax": (1, 2),
        "api.list": (1, 1),
        "Cart.prototype.clear": (None, 1),
        "default.(anonymous)": (None, 1),
    },
)

TYPESCRIPT = Sample(
    "cart.ts",
    """\
interface Priced { price(): number }
type Id = string;
function pick(a: string): void;
function pick(a: any): void { }
namespace Shop { export function open() { } }
""",
    """\
interface Priced { price(): bigint }
type Id = string | number;
function pick(a: string): void;
function pick(a: number): void;
function pick(a: any): void { }
namespace Shop { export function open() { if (ready) { } } }
@Component()
export abstract class Cart { abstract total(): number }
enum Size { S, M }
""",
    [
        "changed method Priced.price 1-1",
        "changed type Id 2-2",
        "added function pick#2 4-4",
        "changed function Shop.open 6-6",
        "added class Cart 7-8",
        "added method Cart.total 8-8",
        "added enum Size 9-9",
    ],
    {"pick#3": (None, 1), "Shop.open": (1, 2), "pick#2": (1, None)},
)

TSX = Sample(
    "cart.tsx",
    """\
export const Row = (p: Props) => <li>{p.name}</li>;
function List() { return <ul><Row/></ul>; }
""",
    """\
export const Row = (p: Props) => <li>{p.name ? p.name : "?"}</li>;
function List() {
  return <ul>
    <Row/></ul>;
}
""",
    ["changed function Row 1-1"],
    {"Row": (1, 2), "List": (1, 1)},
)

GO = Sample(
    "cart.go",
    """\
package shop

const A, B = 1, 2

type Cart struct{ n int }

func (c *Cart) Total() int { return c.n }

func (l List[T]) Len() int { return 0 }
""",
    """\
package shop

const A, B = 1, 3

type (
	Cart  struct{ n int64 }
	Money = int
)

type Priced interface{ Price() int }

func (c *Cart) Total() int {
	if c.n > 0 && true {
		return c.n
	}
	return 0
}

func (l List[T]) Len() int { return 0 }
func Map[T any](f func(T)) {}
""",
    [
        "changed constant A 3-3",
        "changed constant B 3-3",
        "changed struct Cart 6-6",
        "added type Money 7-7",
        "added interface Priced 10-10",
        "added method Priced.Price 10-10",
        "changed method Cart.Total 12-17",
        "added function Map 20-20",
    ],
    {"Cart.Total": (1, 3), "List.Len": (1, 1), "Map": (None, 1)},
)

JAVA = Sample(
    "Cart.java",
    """\
class Cart {
  int n = 0;
  Cart() {}
  int total() { return n; }
  int total(int x) { return x; }
}
interface Priced { int price(); }
""",
    """\
class Cart {
  int n = 1;
  Cart() { n = 2; }
  @Override
  public int total() { return n > 0 ? n : 0; }
  int total(int x) { return x; }
  enum Size { S { void grow() {} } }
  record Line(int a) {}
}
interface Priced { long price(); }
""",
    [
        "changed class Cart 1-9",
        "changed constructor Cart.Cart 3-3",
        "changed method Cart.total 4-5",
        "added enum Cart.Size 7-7",
        "added method Cart.Size.grow 7-7",
        "added record Cart.Line 8-8",
        "changed method Priced.price 10-10",
    ],
    {
        "Cart.Cart": (1, 1),
        "Cart.total": (1, 2),
        "Cart.total#2": (1, 1),
        "Cart.Size.grow": (None, 1),
    },
)

RUST = Sample(
    "cart.rs",
    """\
struct Cart { n: i32 }
impl Cart { fn total(&self) -> i32 { self.n } }
trait Priced { fn price(&self); fn tax(&self) {} }
mod shop { fn open() {} }
fn last() {}
""",
    """\
#[derive(Debug)]
/// A cart.
#[repr(C)]
pub struct Cart { n: i32 }
impl Cart { fn total(&self) -> i32 { if self.n > 0 { 1 } else { 2 } } }
impl<T> fmt::Display for Cart<T> { fn fmt(&self) {} }
trait Priced { fn price(&self) -> i32; fn tax(&self) {} }
mod shop { fn open() { fn inner() {} } }
fn last() {}
""",
    [
        "changed struct Cart 1-4",
        "changed method Cart.total 5-5",
        "added method Cart.fmt 6-6",
        "added impl Display for Cart 6-6",
        "changed method Priced.price 7-7",
        "added function shop.open.inner 8-8",
    ],
    {
        "Cart.total": (1, 2),
        "Cart.fmt": (None, 1),
        "Priced.tax": (1, 1),
        "shop.open.inner": (None, 1),
        "shop.open": (1, 1),
        "last": (1, 1),
    },
)

SAMPLES = [PYTHON, JAVASCRIPT, TYPESCRIPT, TSX, GO, JAVA, RUST]
