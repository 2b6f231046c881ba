"""Tables of numbers, and the texts that are made from them."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass

Cell = str | float | int | None


@dataclass(frozen=True)
class Column:
    """A column.

    Attributes
    ----------
    name : str
    places : int or None
        Behind the point, of its numbers; None: its cells are shown as they are.
    scale : float
        What is shown is the number times this: 100 for percent.
    signed : bool
        Whether a plus is shown, too.
    """

    name: str
    places: int | None = None
    scale: float = 1
    signed: bool = False

    def text(self, cell: Cell) -> str:
        """A cell as it is shown; ``-`` for None."""
        if cell is None:
            return "-"
        if self.places is None:
            return str(cell)
        return f"{self.scale * cell:{'+' if self.signed else ''}.{self.places}f}"


def percent(name: str, signed: bool = False) -> Column:
    """A column of fractions, shown as percent with one place."""
    return Column(name, 1, 100, signed)


@dataclass(frozen=True)
class Table:
    """Rows of cells, one for each column. Numbers are kept as measured, and rounded only where they are shown.

    Attributes
    ----------
    name : str
        Of its file, and its anchor on the page.
    title : str
    columns : sequence of Column
    rows : sequence of sequence of (str, float, int or None)
    note : str
        What a reader has to know of it.
    """

    name: str
    title: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]
    note: str = ""

    def texts(self) -> list[list[str]]:
        """All cells as they are shown, the names of the columns first."""
        shown = [[column.text(cell) for column, cell in zip(self.columns, row, strict=True)] for row in self.rows]
        return [[column.name for column in self.columns], *shown]

    def records(self) -> list[dict[str, Cell]]:
        """Rows by the names of the columns, for JSON."""
        return [dict(zip((column.name for column in self.columns), row, strict=True)) for row in self.rows]


def plain(table: Table) -> str:
    """For a terminal: aligned by spaces, text to the left and numbers to the right."""
    texts = table.texts()
    widths = [max(map(len, column)) for column in zip(*texts, strict=True)]
    lines = ["  ".join(_aligned(*cell) for cell in zip(line, widths, table.columns, strict=True)).rstrip() for line in texts]
    rule = "  ".join("-" * width for width in widths)
    return "\n".join([table.title, "", lines[0], rule, *lines[1:], *([table.note] if table.note else [])])


def markdown(table: Table) -> str:
    """A heading and a table as on GitHub."""
    head, *rows = [[cell.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;") for cell in line] for line in table.texts()]
    rule = ["---" if column.places is None else "---:" for column in table.columns]
    lines = ["| " + " | ".join(line) + " |" for line in (head, rule, *rows)]
    return "\n".join([f"## {table.title}", "", *lines, *(["", table.note] if table.note else [])])


def comma_separated(table: Table) -> str:
    """CSV, with the numbers as measured; nothing between commas is None."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([column.name for column in table.columns])
    writer.writerows(table.rows)
    return text.getvalue()


def _aligned(text: str, width: int, column: Column) -> str:
    return text.ljust(width) if column.places is None else text.rjust(width)
