"""``connector report --saved``, ``saved``, ``annotate``: what people keep beside the data."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import click
import orjson
from pydantic import BaseModel

from connector.commands.report import ask, marks_of, open_desk, show_table, write_page
from connector.config import Settings
from connector.report.answer import Answer, plain
from connector.report.question import Question
from connector.saved import Annotations, SavedReports
from connector.terminal import err, table
from connector.wiring import existing_data, saved_files


def save(settings: Settings, id_: str, question: Question) -> None:
    """Save a question as the next version of a report. Raises ``ConfigError``: the id is no slug."""
    existing_data(settings)
    saved = SavedReports(saved_files(settings)).save(id_, question, datetime.now(UTC))
    err.print(f"saved {saved.id}, version {saved.version}: connector report --saved {saved.id}", markup=False)


def run(settings: Settings, ids: Sequence[str], *, as_json: bool, html: Path | None) -> int:
    """
    Answer saved reports, each at this moment; exit code 0.

    Raises:
        ConfigError: there is no such report, or its parameters do not fit any more.
    """
    saved = SavedReports(saved_files(settings))
    questions = {id_: saved.get(id_).question() for id_ in ids}
    answers = {id_: _answered(settings, question) for id_, question in questions.items()}
    if html is not None:
        zones = {question.timezone for question in questions.values()}
        write_page(answers, html, marks_of(settings, zones.pop() if len(zones) == 1 else "UTC"))
    if as_json:
        documents = {id_: answer.document() for id_, answer in answers.items()}
        option = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
        sys.stdout.buffer.write(orjson.dumps(documents, option=option))
    elif html is None:
        for answer in answers.values():
            show_table(answer)
    return 0


def _answered(settings: Settings, question: Question) -> Answer:
    with open_desk(settings, "duckdb", question) as desk:
        return ask(settings, question, desk, marks_of(settings, question.timezone))


def show_saved(settings: Settings, *, as_json: bool) -> None:
    """List the saved reports."""
    found = SavedReports(saved_files(settings)).list()
    if as_json:
        _print_json(found)
        return
    rows = [(each.id, each.kind, each.version, orjson.dumps(each.parameters).decode()) for each in found]
    table("Saved reports", ("id", "report", "version", "parameters"), rows)


def forget(settings: Settings, id_: str) -> None:
    """Remove a saved report. Raises ``ConfigError``: there is none."""
    SavedReports(saved_files(settings)).delete(id_)


def annotate(settings: Settings, at: datetime | None, text: str, tags: Sequence[str]) -> None:
    """Add an annotation; ``at``: None: now."""
    existing_data(settings)
    now = datetime.now(UTC)
    added = Annotations(saved_files(settings)).add(at or now, text, now, tags)
    err.print(f"added {added.id}", markup=False)


def show_annotations(settings: Settings, *, as_json: bool) -> None:
    """List the annotations by time."""
    found = Annotations(saved_files(settings)).list()
    if as_json:
        _print_json(found)
        return
    rows = [(plain(each.at), each.text, ", ".join(each.tags), each.id) for each in found]
    table("Annotations", ("at", "text", "tags", "id"), rows)


def remove_annotation(settings: Settings, id_: str) -> None:
    """Remove an annotation. Raises ``ConfigError``: there is none."""
    Annotations(saved_files(settings)).remove(id_)


def _print_json(found: Sequence[BaseModel]) -> None:
    documents = [each.model_dump(mode="json") for each in found]
    click.echo(orjson.dumps(documents, option=orjson.OPT_INDENT_2).decode())
