"""`python -m examples.order payment` is the service of one step: payment, stock or shipping; `book` prints the book."""

from __future__ import annotations

import sys

from examples.order.book import Book
from examples.order.definition import ORDER
from examples.order.handlers import COMPENSATIONS, HANDLERS
from kafka_saga import Service


def main(arguments: list[str]) -> None:
    """Be the service of a step, or print what was done and undone outside."""
    match arguments:
        case ["book"]:
            for entry in Book().entries():
                state = "undone" if entry.is_undone else "done"
                counts = f"asked {entry.asked}, to undo {entry.undo_asked}"
                sys.stdout.write(f"{state:<6}  {counts}  {entry.reference}  {entry.what}\n")
        case [step] if step in HANDLERS:
            handlers, compensations = {step: HANDLERS[step]}, {step: COMPENSATIONS[step]}
            Service(f"order-{step}", {ORDER: handlers}, compensations={ORDER: compensations}).run()
        case _:
            sys.exit(f"usage: python -m examples.order {{{','.join(HANDLERS)},book}}")


if __name__ == "__main__":
    main(sys.argv[1:])
