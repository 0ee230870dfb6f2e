"""Sections as one page that needs no network: light and dark, for phones, keyboards, screen readers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.resources import files
from typing import Any

import orjson

from connector.report.answer import Answer, Mark, plain
from connector.report.page.charts import charts_of
from connector.report.page.drawing import SHARES, Chart
from connector.report.page.people import document_of, with_short_ids

MOST_ROWS = 200
"""Rows of a table on a page; the rest is in the JSON."""


@dataclass(frozen=True)
class Figure:
    """A number to be read at a glance. ``path``: where it stands in the JSON of the page."""

    label: str
    text: str
    says: str
    path: str = ""


@dataclass(frozen=True)
class Grid:
    """A table: columns with their meanings, rows of plain values."""

    caption: str
    columns: Mapping[str, str]
    rows: Sequence[Mapping[str, Any]]
    open: bool = False
    """Shown at once; otherwise behind its caption."""
    path: str = ""
    more: int = 0
    """Rows that are left out."""


@dataclass(frozen=True)
class Section:
    """One step of a story."""

    name: str
    title: str
    text: Sequence[str] = ()
    figures: Sequence[Figure] = ()
    charts: Sequence[Chart] = ()
    grids: Sequence[Grid] = ()
    warnings: Sequence[str] = ()
    notes: Sequence[str] = ()
    step: str = ""


@dataclass(frozen=True)
class Page:
    """A whole page and the JSON that its figures come from."""

    title: str
    lead: str
    sections: Sequence[Section]
    document: Mapping[str, Any]
    facts: Sequence[str] = field(default_factory=tuple)


def section_of(answer: Answer, title: str, marks: Sequence[Mark] = (), name: str = "") -> Section:
    """An answer as a section: its definition, charts and table."""
    name = name or answer.question.KIND
    return Section(
        name=name,
        title=title,
        text=[answer.question.SAYS],
        charts=[chart._replace(name=f"{name}-{chart.name}") for chart in charts_of(answer, marks)],
        grids=[grid_of(answer, "The figures", path=f"answers.{name}.rows")],
        notes=[*answer.notes, *_incomplete(answer)],
    )


def grid_of(
    answer: Answer, caption: str, columns: Sequence[str] = (), *, is_open: bool = False, path: str = ""
) -> Grid:
    """The rows of an answer as a table; ``columns``: which, all of them when none is named."""
    meanings = answer.question.COLUMNS
    names = columns or (list(answer.rows[0]) if answer.rows else list(meanings))
    rows = [with_short_ids({name: plain(row[name]) for name in names}) for row in answer.rows[:MOST_ROWS]]
    shown = {name: meanings.get(name, name.replace("_", " ")) for name in names}
    return Grid(caption, shown, rows, is_open, path, max(0, len(answer.rows) - MOST_ROWS))


def _incomplete(answer: Answer) -> list[str]:
    return [] if answer.complete else ["Not complete as of the time above: late figures can still change."]


def dashboard(title: str, answers: Mapping[str, Answer], marks: Sequence[Mark] = ()) -> Page:
    """Any answers on one page, in their order; the keys are their titles and names."""
    sections = [
        section_of(answer, name.replace("-", " ").capitalize(), marks, _slug(name))
        for name, answer in answers.items()
    ]
    document = {"answers": {_slug(name): document_of(answer) for name, answer in answers.items()}}
    return Page(title, "", sections, document, facts_of(list(answers.values())))


def _slug(name: str) -> str:
    return "".join(c if c.isalnum() else "-" for c in name.lower())


def facts_of(answers: Sequence[Answer]) -> list[str]:
    """Range, zone and moment, as they stand below the title."""
    if not answers:
        return []
    first = answers[0]
    return [
        f"{first.range['from']} to {first.range['to']}, days in {first.range['timezone']}",
        f"as of {plain(first.as_of)[:16].replace('T', ' ')} UTC",
    ]


def html(page: Page) -> str:
    """The page as one file of HTML, about 1 MB of it the drawing library."""
    import vl_convert

    # json inside a script: only "<" could end it early
    document = orjson.dumps(page.document).decode().replace("<", "\\u003c")
    specs = {chart.name: chart.spec for section in page.sections for chart in section.charts}
    text: str = _template().render(
        page=page,
        document=document,
        specs=orjson.dumps(specs).decode().replace("<", "\\u003c"),
        library=vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;") if specs else "",
        cell=cell,
        is_number=lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    )
    return text


def png(answer: Answer, marks: Sequence[Mark] = ()) -> bytes:
    """
    The first chart of an answer as a picture, twice the size of a screen's dots; no browser.

    Raises:
        ConfigError: this kind of report, or an answer without rows, has no chart.
    """
    from connector.errors import ConfigError

    charts = charts_of(answer, marks)
    if not charts:
        raise ConfigError(f"report {answer.question.KIND}: there is no chart to draw; --html has the table")
    import vl_convert

    spec = {**charts[0].spec, "width": 900, "title": charts[0].title, "background": "white"}
    picture: bytes = vl_convert.vegalite_to_png(orjson.dumps(spec).decode(), scale=2)
    return picture


def cell(value: Any, column: str, row: Mapping[str, Any] | None = None) -> str:
    """A value as a person reads it: shares in percent, amounts with two decimals, days as they are."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:.2%}" if is_share(column, row or {}) else f"{value:,.2f}"
    if isinstance(value, str):
        return value[:16].replace("T", " ") if value.endswith("Z") and value[10:11] == "T" else value
    return orjson.dumps(value).decode()


def is_share(column: str, row: Mapping[str, Any]) -> bool:
    """Whether a value is a ratio from 0 to 1: by its column, or by what its row measures."""
    measure = row.get("measure") or row.get("metric")
    if measure is None or column in ("conversion", "lift"):
        return column in SHARES
    if column in ("ci_low", "ci_high") and "lift" in row:
        return True
    return measure in ("conversion", "buyers_share") and column not in ("z", "p", "p_adjusted", "srm_p")


@lru_cache(maxsize=1)
def _template() -> Any:
    from jinja2 import Environment, StrictUndefined

    text = (files("connector.report.page") / "templates" / "page.html").read_text(encoding="utf-8")
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.from_string(text)
