"""``connector report``: ask a question of the tables and say what comes."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import click
import orjson

from connector.cohorts.catalogue import Cohorts
from connector.cohorts.people import Members
from connector.config import Settings
from connector.report.answer import Answer, Mark, plain
from connector.report.asking import Asking
from connector.report.clock import Clock, date_of
from connector.report.desks.desk import Desk
from connector.report.functions import Engine
from connector.report.kinds import kind_of
from connector.report.question import Question
from connector.saved import Annotations
from connector.terminal import Ratio, err, out, table
from connector.wiring import existing_data, saved_files


class Output(NamedTuple):
    """Where an answer goes; a table on the terminal when nothing is chosen."""

    json: bool = False
    csv: bool = False
    html: Path | None = None
    png: Path | None = None


def run(settings: Settings, question: Question, engine: Engine, output: Output) -> int:
    """
    Answer one question and show it; exit code 0.

    Raises:
        ConfigError: there is no such data folder, or the question cannot be asked.
    """
    if engine == "athena":
        click.echo(athena_text(question))
        return 0
    marks = marks_of(settings, question.timezone)
    with open_desk(settings, engine, question) as desk:
        answer = ask(settings, question, desk, marks)
    show(answer, output, marks)
    return 0


@contextmanager
def open_desk(settings: Settings, engine: Engine, question: Question) -> Iterator[Desk]:
    """The engine over the data folder of the settings. Raises ``ConfigError``: there is no such folder."""
    data = existing_data(settings)
    if engine == "spark":
        from connector.report.desks.spark import spark_desk

        with spark_desk(data, prepared=question.as_of is None) as desk:
            yield desk
        return
    from connector.report.desks.duck import duck_desk

    as_of_ms = None if question.as_of is None else round(question.as_of.timestamp() * 1_000)
    with duck_desk(data, as_of_ms) as desk:
        yield desk


def ask(settings: Settings, question: Question, desk: Desk, marks: Sequence[Mark] = ()) -> Answer:
    """Answer a question at a desk, now; cohorts are those beside the data."""
    now = datetime.now(UTC)
    members = Members(Cohorts(saved_files(settings)), desk, question.as_of or now)
    return kind_of(question.KIND).answer(Asking(question, desk, now, members, marks))


def marks_of(settings: Settings, timezone: str) -> list[Mark]:
    """The annotations beside the data, by their local days."""
    zone = Clock(timezone)
    return [
        Mark(date_of(zone.day_of(round(each.at.timestamp() * 1_000))), each.text, each.tags)
        for each in Annotations(saved_files(settings)).list()
    ]


def athena_text(question: Question) -> str:
    """The statements of a question for Athena: rendered here, run nowhere."""
    from connector.report.desks.text import TextDesk

    desk = TextDesk("athena")
    kind_of(question.KIND).answer(Asking(question, desk, datetime.now(UTC)))
    return desk.document(question.KIND)


def show(answer: Answer, output: Output, marks: Sequence[Mark] = ()) -> None:
    """Print an answer, or write it where it is wanted."""
    if output.html:
        write_page({answer.question.KIND: answer}, output.html, marks)
    if output.png:
        from connector.report.page.page import png

        output.png.write_bytes(png(answer, marks))
        err.print(f"wrote {output.png}", markup=False)
    if output.json:
        sys.stdout.buffer.write(as_json(answer))
        sys.stdout.buffer.flush()
    elif output.csv:
        click.echo(as_csv(answer), nl=False)
    elif not (output.html or output.png):
        show_table(answer)


def write_page(answers: Mapping[str, Answer], path: Path, marks: Sequence[Mark]) -> None:
    """Write answers as a page: the recipe as its story, others one below the other."""
    from connector.report.page.page import dashboard, html
    from connector.report.page.story import recipe_page

    only = next(iter(answers.values()))
    if len(answers) == 1 and only.question.KIND == "recipe":
        page = recipe_page(only, marks)
    else:
        title = ", ".join(name.replace("-", " ") for name in answers).capitalize()
        page = dashboard(title, answers, marks)
    path.write_text(html(page), encoding="utf-8")
    err.print(f"wrote {path}, {path.stat().st_size / 1e6:.1f} MB, needs no network", markup=False)


def show_table(answer: Answer) -> None:
    """The main columns as a table, with what a reader must know; in a pipe all columns, tab-separated."""
    columns = _columns(answer)
    if not out.is_terminal:
        writer = csv.writer(sys.stdout, delimiter="\t", lineterminator="\n")
        writer.writerow(columns)
        writer.writerows([plain(row[name]) for name in columns] for row in answer.rows)
        return
    shown = [name for name in columns if name in answer.question.SHOWN] or columns
    headers = [name.replace("_", "\n") for name in shown]
    table(answer.question.KIND, headers, [[_shown(row[name]) for name in shown] for row in answer.rows])
    for line in _said(answer):
        out.print(line, markup=False)


def _columns(answer: Answer) -> list[str]:
    return list(answer.rows[0]) if answer.rows else list(answer.question.COLUMNS)


def _said(answer: Answer) -> Iterator[str]:
    where = answer.range
    as_of = answer.as_of.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
    state = "complete" if answer.complete else "not complete: figures can still change"
    yield f"Range    {where['from']} to {where['to']}, days in {where['timezone']}; as of {as_of}; {state}"
    yield f"Meaning  {answer.question.SAYS}"
    yield from (f"Note     {note}" for note in answer.notes)
    for name, value in answer.extra.items():
        if not isinstance(value, dict | list | tuple):
            yield f"{name}  {plain(value)}"


def _shown(value: object) -> object:
    """A value as a person reads it in a table."""
    simple = plain(value)
    if isinstance(simple, float) and -1 < simple < 1 and simple:
        return Ratio(simple)
    return simple if isinstance(simple, int | float | str | bool | None) else orjson.dumps(simple).decode()


def as_json(answer: Answer) -> bytes:
    return orjson.dumps(answer.document(), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def as_csv(answer: Answer) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    columns = _columns(answer)
    writer.writerow(columns)
    writer.writerows([plain(row[name]) for name in columns] for row in answer.rows)
    return text.getvalue()
