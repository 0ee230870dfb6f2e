"""The recipe as a story in four steps."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from connector.report.answer import Answer, Mark, plain
from connector.report.page.charts import charts_of
from connector.report.page.page import Figure, Grid, Page, Section, cell, facts_of, grid_of, section_of
from connector.report.page.people import document_of, with_short_ids

SHOWN_PEOPLE = 12
"""People of the table of those who dropped off; who they all are is `connector report dropped`."""
_REGRESSION = (
    "These people were chosen because they had not bought. Some of them would have bought later anyway, so "
    "a comparison of the same people before and after overstates the promotion. Step 4's experiment, "
    "against people who were held back by chance, is the answer."
)


def recipe_page(answer: Answer, marks: Sequence[Mark] = ()) -> Page:
    """The answer of ``recipe`` as a page; people appear by a shortened id."""
    parts = answer.parts
    category, currency = str(answer.extra["category"]), answer.extra["currency"]
    document = document_of(answer)
    sections = [
        _orders(parts["reconcile"]),
        _categories(answer, category, currency),
        _readings(parts["readings"], category),
        _dropped(answer, category),
        _over_time(answer, marks, category),
        *_compared(answer),
        *_experiment(parts.get("experiment")),
    ]
    title = f"{category}: looked at, and not bought"
    lead = (
        "Which product category is dear and sells badly, who looked and did not buy, and what changed after "
        "they were targeted."
    )
    return Page(title, lead, sections, document, facts_of([answer]))


def _orders(reconcile: Answer) -> Section:
    currencies = sorted({row["currency"] for row in reconcile.rows if row["currency"]})
    orders = sum(row["orders"] for row in reconcile.rows)
    lines = sum(row["product_rows"] for row in reconcile.rows)
    section = section_of(reconcile, "Orders become purchases", name="orders")
    figures = [
        Figure(
            "orders",
            f"{orders:,}",
            "Order Completed rows of the range, each once however often it was delivered",
        ),
        Figure("purchases", f"{lines:,}", "one Product Purchased row per product of an order"),
        Figure("per order", f"{lines / orders:.2f}" if orders else "–", "purchases / orders"),
    ]
    for currency in currencies:
        gap = sum(row["difference"] or 0 for row in reconcile.rows if row["currency"] == currency)
        figures.append(
            Figure(
                f"difference, {currency}", f"{gap:,.2f}", "item value - revenue - discount: 0 when both agree"
            )
        )
    text = [
        "An order arrives as one event with a list of products. Each product becomes a purchase of its own, "
        "so that it can be counted by category; the amounts of the order stay with the order.",
    ]
    grid = replace(section.grids[0], path="parts.reconcile.rows")
    return replace(section, step="Step 1", text=text, figures=figures, charts=[], grids=[grid])


def _categories(answer: Answer, category: str, currency: str | None) -> Section:
    rows = answer.rows
    at = next(i for i, row in enumerate(rows) if row["category"] == category and row["currency"] == currency)
    chosen, meanings = rows[at], answer.question.COLUMNS

    def figure(label: str, name: str) -> Figure:
        return Figure(label, cell(plain(chosen[name]), name), meanings[name], f"rows.{at}.{name}")

    money = f" {currency}" if currency else ""
    place = (
        sorted(row["conversion"] for row in rows if row["conversion"] is not None).index(chosen["conversion"])
        + 1
    )
    text = [
        f"Of {chosen['viewers']:,} people who viewed {category}, {chosen['converted']:,} bought in it in "
        f"time: {chosen['conversion']:.2%}, the {_ordinal(place)} lowest. The average price is "
        f"{chosen['avg_price'] or 0:,.2f}{money}.",
        "The opportunity is what the category would bring in if it converted like the best one. It says "
        "where to look first; it is no forecast.",
    ]
    grid = replace(
        grid_of(answer, "All categories", answer.question.SHOWN, is_open=True, path="rows"),
        rows=[
            {**{name: plain(row[name]) for name in answer.question.SHOWN}, "chosen": row is chosen}
            for row in rows
        ],
    )  # fmt: skip
    return Section(
        name="category",
        step="Step 2",
        title=f"{category} is dear and converts badly",
        text=text,
        figures=[
            figure("viewers", "viewers"), figure("bought in time", "converted"),
            figure("conversion", "conversion"),
            figure(f"average price{money}", "avg_price"), figure(f"opportunity{money}", "opportunity"),
        ],
        charts=[chart._replace(name=f"category-{chart.name}") for chart in charts_of_rows(answer)],
        grids=[grid],
        notes=[note for note in answer.notes if "promotion" not in note and "experiment" not in note],
    )  # fmt: skip


def charts_of_rows(answer: Answer) -> list[Any]:
    """The charts of categories from the recipe's own rows."""
    from connector.report.kinds.categories import Asked

    chosen = (answer.extra["category"], answer.extra["currency"])
    rows = [{**row, "chosen": (row["category"], row["currency"]) == chosen} for row in answer.rows]
    return charts_of(replace(answer, question=Asked.model_construct(), rows=rows))


def _readings(readings: Answer, category: str) -> Section:
    grid = grid_of(readings, "The same figures by other rules", readings.question.SHOWN, is_open=True)
    rows = [{**row, "ours": full["ours"]} for row, full in zip(grid.rows, readings.rows, strict=True)]
    text = [
        f"Other tools and hand-written queries count {category} by other rules. Each line changes one rule "
        "and keeps the rest. A figure you know from elsewhere is probably one of these.",
    ]
    grid = replace(grid, rows=rows, path="parts.readings.rows")
    return Section(
        name="differs", title="Why does this differ?", text=text, grids=[grid], notes=readings.notes
    )


def _dropped(answer: Answer, category: str) -> Section:
    dropped = answer.parts["dropped"]
    people = list(dropped.rows)
    reachable = sum(bool(row.get("email") or row.get("phone")) for row in people)
    shown = [with_short_ids(row) for row in people[:SHOWN_PEOPLE]]
    contacts = [] if any(row.get("email") or row.get("phone") for row in people) else ["email", "phone"]
    columns = {name: says for name, says in dropped.question.COLUMNS.items() if name not in contacts}
    grid = Grid(
        f"{len(shown)} of {len(people):,} people",
        columns,
        [{name: plain(row[name]) for name in columns} for row in shown],
        True,
        more=max(0, len(people) - len(shown)),
    )
    text = [
        f"{len(people):,} people viewed {category} and did not buy in it within the window. They are the "
        "cohort: `connector cohort create` keeps it as a snapshot, `connector cohort export` hands it to a "
        "tool that reaches them.",
    ]
    figures = [
        Figure(
            "people",
            f"{len(people):,}",
            dropped.question.SAYS,
            "totals.cohort_size" if _is_own(answer) else "",
        )
    ]
    if not contacts:
        figures.append(
            Figure("with an address", f"{reachable:,}", "people with an e-mail address or a phone number")
        )
    return Section(
        name="people", step="Step 3", title="Who looked and did not buy", text=text, figures=figures,
        grids=[grid], notes=dropped.notes,
    )  # fmt: skip


def _is_own(answer: Answer) -> bool:
    """Whether the cohort of step 4 is the people of step 3."""
    return bool(answer.extra["cohort_size"] == len(answer.parts["dropped"].rows))


def _over_time(answer: Answer, marks: Sequence[Mark], category: str) -> Section:
    arpu, conversion = answer.parts["arpu"], answer.parts["conversion"]
    promotion = answer.extra.get("promotion")
    if promotion is not None and not any(mark.day == promotion for mark in marks):
        marks = [*marks, Mark(promotion, "promotion")]
    first, second = section_of(arpu, "", marks, "arpu"), section_of(conversion, "", marks, "conversion")
    text = [
        f"Revenue net of refunds per active person, and conversion from view to purchase in {category}: "
        "everybody, and the cohort. A person counts once in each period, so the points of a longer period "
        "are not the mean of these.",
    ]
    grids = [replace(first.grids[0], caption="Revenue", path="parts.arpu.rows")]
    grids.append(replace(second.grids[0], caption="Conversion", path="parts.conversion.rows"))
    return Section(
        name="time", step="Step 4", title="What they brought in, over time", text=text,
        charts=[*first.charts, *second.charts], grids=grids, notes=_once([*first.notes, *second.notes]),
    )  # fmt: skip


def _compared(answer: Answer) -> Iterable[Section]:
    found = answer.parts.get("before-after")
    if found is None:
        return
    section = section_of(found, "Before and after", name="before-after")
    grid = replace(section.grids[0], caption="The same people, as many days before and after", open=True,
                   path="parts.before-after.rows")  # fmt: skip
    notes = [note for note in section.notes if "egression" not in note]
    yield replace(section, step="Step 4", warnings=[_REGRESSION], grids=[grid], notes=notes)


def _experiment(found: Answer | None) -> Iterable[Section]:
    if found is None:
        return
    section = section_of(found, "Against a control group", name="experiment")
    text = [
        "Some of the cohort were held back by chance and got nothing. Rates are per exposed person. An "
        "interval that leaves zero out is a difference that chance alone would seldom make.",
    ]
    columns = found.question.SHOWN or tuple(found.question.COLUMNS)
    grid = grid_of(found, "Treatment against control", columns, is_open=True, path="parts.experiment.rows")
    yield replace(section, step="Step 4", text=text, grids=[grid])


def _once(lines: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(lines))


def _ordinal(number: int) -> str:
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10 if number % 100 not in (11, 12, 13) else 0, "th")
    return f"{number}{ending}"
