"""What the demo shows of its tables: the recipe, in figures and as a page."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

from connector.commands.report import ask, open_desk, write_page
from connector.config import Settings
from connector.report.answer import Answer, Mark, Row, plain
from connector.report.kinds.recipe import PROMOTION, Asked
from connector.saved import Annotations
from connector.terminal import Ratio, out, table
from connector.wiring import saved_files

_PROMOTION_DAY = date(2026, 3, 2)
"""The sample store's promotion begins after 60 days."""
_SHOWN = ("category", "viewers", "converted", "conversion", "avg_price", "rank_by_purchases", "opportunity")


def show_recipe(settings: Settings, page: Path) -> None:
    """Answer the recipe over the sample store, print its figures and write its page."""
    at = datetime(_PROMOTION_DAY.year, _PROMOTION_DAY.month, _PROMOTION_DAY.day, tzinfo=UTC)
    Annotations(saved_files(settings)).add(at, "Promotion begins", datetime.now(UTC), [PROMOTION])
    marks = [Mark(_PROMOTION_DAY, "Promotion begins", (PROMOTION,))]
    question = Asked.model_validate({})
    with open_desk(settings, "duckdb", question) as desk:
        answer = ask(settings, question, desk, marks)
    rows = [[_shown(row[name], name) for name in _SHOWN] for row in answer.rows]
    headers = [name.replace("_", " ") for name in _SHOWN]
    table("Which category is dear and sells badly (connector report recipe)", headers, rows)
    _say(answer)
    write_page({"recipe": answer}, page, marks)


def _shown(value: object, name: str) -> object:
    simple = plain(value)
    return Ratio(simple) if name == "conversion" and isinstance(simple, float) else simple


def _say(answer: Answer) -> None:
    """The rest of the story in a few lines."""
    category, people = answer.extra["category"], len(answer.parts["dropped"].rows)
    out.print(
        f"Who       {people:,} people looked at {category} and bought none of it in 7 days", markup=False
    )
    for row in _part(answer, "before-after", "arpu"):
        out.print(
            f"Revenue   per active person: {row['before']:,.2f} {row['currency']} in four weeks before "
            f"the promotion, {row['after']:,.2f} in four weeks of it",
            markup=False,
        )
    for row in _part(answer, "experiment", "conversion"):
        if row["lift"] is not None:
            out.print(
                f"Because   {row['rate']:.1%} of those who saw it bought: lift {row['lift']:+.0%} against "
                f"those held back (95 % interval {row['ci_low']:+.0%} to {row['ci_high']:+.0%})",
                markup=False,
            )
    out.print()


def _part(answer: Answer, name: str, metric: str) -> list[Row]:
    """The rows of a part that measure one thing."""
    return [row for row in answer.parts[name].rows if row["metric"] == metric] if name in answer.parts else []
