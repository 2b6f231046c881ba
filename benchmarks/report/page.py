"""A report as one page of HTML that needs nothing else: no other file, and no network."""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

import numpy as np

from benchmarks.report.keyframes import KeyFrame
from benchmarks.report.tables import Cell, Column, Table

STYLE = Path(__file__).with_name("page.css")
SCRIPT = Path(__file__).with_name("page.js")


@dataclass(frozen=True)
class Plot:
    """A plot.

    Attributes
    ----------
    title : str
    svg : str
        An element ``<svg>``.
    wide : bool
        Whether it takes a whole line.
    """

    title: str
    svg: str
    wide: bool = False


@dataclass(frozen=True, eq=False)
class Shown:
    """Pictures of a target; or the reason why there is none.

    Attributes
    ----------
    target : str
    group : str
        What it is an example of.
    text : str
    frames : sequence of KeyFrame
    """

    target: str
    group: str
    text: str
    frames: Sequence[KeyFrame]


def page(
    title: str,
    lines: Sequence[str],
    tables: Sequence[Table],
    plots: Sequence[Plot],
    shown: Sequence[Shown],
    colours: Mapping[str, str],
) -> str:
    """All of it.

    Parameters
    ----------
    title : str
    lines : sequence of str
        What a reader has to know first.
    tables : sequence of Table
        In this order; the plots stand behind the first.
    plots : sequence of Plot
    shown : sequence of Shown
        Those of one group one behind the other.
    colours : mapping of str to str
        Of each tracker, such as ``#0072b2``.

    Returns
    -------
    str
        HTML. All names are escaped.
    """
    first, *others = tables
    sections = [_table(first, colours), _plots(plots), *(_table(table, colours) for table in others), _frames(shown, colours)]
    anchors = [*((table.name, table.title) for table in tables), ("frames", "Pictures")]
    anchors.insert(1, ("plots", "Plots"))
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)}</title>
<style>
{STYLE.read_text()}</style>
</head>
<body>
<header>
<h1>{escape(title)}</h1>
{"".join(f"<p>{escape(line)}</p>" for line in lines)}
<nav>{"".join(f'<a href="#{name}">{escape(text)}</a>' for name, text in anchors)}</nav>
</header>
<main>
{"".join(sections)}</main>
<script>
{SCRIPT.read_text()}</script>
</body>
</html>
"""


def _table(table: Table, colours: Mapping[str, str]) -> str:
    heads = "".join(
        f'<th scope="col"{_kind(column)}><button type="button" class="name">{_name(column.name, colours)}</button></th>'
        for column in table.columns
    )
    rows = "".join(f"<tr>{''.join(_cell(*each, colours) for each in zip(table.columns, row, strict=True))}</tr>\n" for row in table.rows)
    return (
        f'<section id="{table.name}"><h2>{escape(table.title)}</h2>\n<p class="note">{escape(table.note)}</p>\n'
        f'<div class="scroll" tabindex="0"><table><thead><tr>{heads}</tr></thead>\n<tbody>{rows}</tbody></table></div></section>\n'
    )


def _cell(column: Column, cell: Cell, colours: Mapping[str, str]) -> str:
    value = "" if cell is None else f' data-value="{escape(str(cell))}"'
    shown = escape(column.text(cell)) if column.places is not None else f'<span class="name">{_name(column.text(cell), colours)}</span>'
    return f"<td{_kind(column)}{value}>{shown}</td>"


def _kind(column: Column) -> str:
    return ' class="text"' if column.places is None else ""


def _name(text: str, colours: Mapping[str, str]) -> str:
    """A text; a tracker's behind a patch of its colour."""
    patch = f'<span class="swatch" style="background:{colours[text]}"></span>' if text in colours else ""
    return patch + escape(text)


def _plots(plots: Sequence[Plot]) -> str:
    figures = "".join(
        f"<figure{' class=wide' if plot.wide else ''}><figcaption>{escape(plot.title)}</figcaption>{plot.svg}</figure>\n" for plot in plots
    )
    return f'<section id="plots"><h2>Plots</h2><div class="plots">\n{figures}</div></section>\n'


def _frames(shown: Sequence[Shown], colours: Mapping[str, str]) -> str:
    patches = "".join(f"<li>{_name(tracker, colours)}</li>" for tracker in colours)
    parts = [f'<section id="frames"><h2>Pictures</h2><ul class="legend"><li><span class="swatch truth"></span>truth</li>{patches}</ul>\n']
    group = None
    for each in shown:
        if each.group != group:
            group = each.group
            parts.append(f"<h3>{escape(group)}</h3>\n")
        pictures = "".join(_picture(each.target, frame, colours) for frame in each.frames)
        parts.append(f'<p><strong>{escape(each.target)}</strong> {escape(each.text)}</p><div class="frames">{pictures}</div>\n')
    return "".join([*parts, "</section>\n"])


def _picture(target: str, frame: KeyFrame, colours: Mapping[str, str]) -> str:
    width, height = frame.size
    boxes = _box(frame.truth, 'class="halo"', "truth") + _box(frame.truth, 'class="truth"', "truth")
    boxes += "".join(_box(box, f'stroke="{colours[tracker]}"', tracker) for tracker, box in frame.boxes.items())
    data = b64encode(frame.jpeg).decode()
    return (
        f'<figure><svg viewBox="0 0 {width} {height}" role="img" aria-label="{escape(target)}, frame {frame.number}">'
        f'<image href="data:image/jpeg;base64,{data}" width="{width}" height="{height}"/>{boxes}</svg>'
        f"<figcaption>frame {frame.number}</figcaption></figure>"
    )


def _box(box: np.ndarray, attributes: str, name: str) -> str:
    if not np.isfinite(box).all() or (box[2:] <= 0).any():
        return ""
    x, y, w, h = box
    return f'<rect {attributes} x="{x:.1f}" y="{y:.1f}" width="{w:.1f}" height="{h:.1f}"><title>{escape(name)}</title></rect>'
