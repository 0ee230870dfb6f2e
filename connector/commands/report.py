"""``connector report``: ask a question of the tables and say what comes."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import orjson

from connector.config import Settings
from connector.report.answer import Answer, plain
from connector.report.asking import Asking
from connector.report.desks.desk import Desk
from connector.report.functions import Engine
from connector.report.kinds import kind_of
from connector.report.question import Question
from connector.wiring import existing_data


@contextmanager
def open_desk(settings: Settings, engine: Engine, question: Question) -> Iterator[Desk]:
    """The engine over the data folder of the settings. Raises ``ConfigError``: there is no such folder."""
    if engine == "athena":
        from connector.report.desks.text import TextDesk

        yield TextDesk(engine)
        return
    data = existing_data(settings)
    if engine == "spark":
        from connector.report.desks.spark import spark_desk

        with spark_desk(data) as desk:
            yield desk
        return
    from connector.report.desks.duck import duck_desk

    with duck_desk(data, prepared=question.as_of is None) as desk:
        yield desk


def ask(question: Question, desk: Desk) -> Answer:
    """Answer a question at a desk, now."""
    kind = kind_of(question.KIND)
    return kind.answer(Asking(question, desk, datetime.now(UTC)))


def as_json(answer: Answer) -> bytes:
    return orjson.dumps(answer.document(), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def as_csv(answer: Answer) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    columns = list(answer.rows[0]) if answer.rows else list(answer.question.COLUMNS)
    writer.writerow(columns)
    writer.writerows([plain(row[name]) for name in columns] for row in answer.rows)
    return text.getvalue()
