"""Writing for people: rich on a terminal, plain text elsewhere; results on stdout, everything else on stderr."""

import itertools
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Final

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

UNBROKEN: Final = 10_000
"""Columns of plain text: a program that reads it wants one line a row."""


def console(file: IO[str] | None = None) -> "Console":
    """A console on `file`, stdout by default; plain when that is no terminal."""
    from rich.console import Console

    target = file or sys.stdout
    width = None if target.isatty() else UNBROKEN
    return Console(file=target, width=width, highlight=False, soft_wrap=False)


def complain(message: str, hint: str) -> None:
    """An error and its next step, on stderr."""
    from rich.markup import escape

    console(sys.stderr).print(f"[bold red]error:[/] {escape(message)}\n[bold]next:[/]  {escape(hint)}")


def write_json(data: object) -> None:
    """A JSON document on stdout, as one line; frozen dataclasses are objects in it."""
    import msgspec

    sys.stdout.write(msgspec.json.encode(data).decode() + "\n")


def print_table(on: "Console", title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table of plain strings with a title; where nobody looks, aligned text with one line a row."""
    if on.is_terminal:
        on.print(_table(title, columns, rows))
        return
    widths = [max(map(len, cells)) for cells in zip(columns, *rows, strict=True)]
    on.out(title)
    for line in (columns, *rows):
        on.out("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def _table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> "Table":
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(
        title=title,
        title_justify="left",
        title_style="bold",
        header_style="dim",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
    )
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    return table


@contextmanager
def working(phase: str) -> Iterator[None]:
    """Show what is being done while it is done, when somebody looks."""
    if not sys.stderr.isatty():
        yield
        return
    with console(sys.stderr).status(f"{phase} …"):
        yield


@contextmanager
def counting(phase: str, whole: int) -> Iterator[Callable[[str], None]]:
    """Show how many of the whole are done, when somebody looks; call what it gives with the name of each that is."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    done = itertools.count(1)
    with console(sys.stderr).status(f"{phase} … 0 of {whole}") as status:
        yield lambda name: status.update(f"{phase} … {next(done)} of {whole}, last {name}")
