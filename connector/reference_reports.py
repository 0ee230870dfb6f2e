"""The page of reports, printed from their questions, and of the SQL functions that they may use."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from importlib.resources import files

from connector.report.functions import OWN, STANDARD
from connector.report.kinds import KINDS, kind_of
from connector.report.options import options_of
from connector.report.question import Question

_Grid = Callable[[Iterable[str], Iterable[Iterable[str]]], str]
_COMMON = ("from_day", "to_day", "timezone", "as_of", "source")


def reports_page(note: str, grid: _Grid) -> str:
    """Every report: its definition, options and columns; then the views and functions they are made of."""
    parts = [
        note,
        "# Reports\n",
        "`connector report NAME` answers from the tables, on a folder or `s3://`. Copies of events are one "
        "row, a person is one person before and after signing in, money is never added across currencies, "
        "and days are cut in one time zone. `--json` prints `definition`, `as_of`, `complete` and `rows`; "
        "`--csv` the rows; `--html` and `--png` draw. The page's figures and the JSON are the same.\n",
        "Options that all of them have:\n",
        grid(("option", "meaning"), _options(Question, wanted=_COMMON)),
    ]
    for name, says in KINDS.items():
        question = kind_of(name).question
        parts += [f"## `{name}`\n", f"{says} {question.SAYS}\n"]
        own = list(_options(question, left_out=_COMMON))
        if own:
            parts.append(grid(("option", "meaning"), own))
        parts.append(grid(("column", "meaning"), ((f"`{c}`", text) for c, text in question.COLUMNS.items())))
    parts += [
        "## SQL\n",
        "Reports are composed of the views in `connector/report/sql`, one file each, in DuckDB's dialect. "
        "`--engine spark` runs them on Spark. `--engine athena` prints them for Athena and runs nothing: run "
        "them in the database of the stack, which has `events_raw`, `profiles_raw` and `aliases_raw` "
        "([athena.md](athena.md)). "
        "They use these functions and no others, because these mean the same on all three:\n",
        ", ".join(f"`{name}`" for name in sorted(set(STANDARD.values()), key=str.lower)) + ".\n",
        "And these of our own, which become what each engine has:\n",
        grid(("function", "gives"), [(f"`{name}`", own.says) for name, own in OWN.items()]),
        "Views:\n",
        grid(("view", "one row is"), _views()),
    ]
    return "\n".join(parts)


def _options(
    question: type[Question], wanted: Iterable[str] | None = None, left_out: Iterable[str] = ()
) -> Iterator[tuple[str, str]]:
    for option in options_of(question):
        name = option.name or ""
        if (wanted is None or name in wanted) and name not in left_out:
            yield f"`{option.opts[0]}`", option.help or ""


def _views() -> Iterator[tuple[str, str]]:
    """Each view with the first sentence of its file."""
    folder = files("connector.report") / "sql"
    for name in sorted(file.name for file in folder.iterdir() if file.name.endswith(".sql")):
        lines = (folder / name).read_text(encoding="utf-8").splitlines()
        said = " ".join(line.removeprefix("-- ") for line in lines if line.startswith("--"))
        yield f"`{name.removesuffix('.sql')}`", said
