"""Charts of the other reports: every kind that draws one is drawn by Chromium without a complaint."""

from __future__ import annotations

import re
from datetime import date

import pytest

from connector.errors import ConfigError
from connector.report.answer import Mark
from connector.report.kinds import kind_of
from connector.report.page.charts import charts_of
from connector.report.page.page import dashboard, html, png
from tests.conftest import require
from tests.report.page.browser import is_installed, show
from tests.report.stores import ask, desk, row

pytestmark = pytest.mark.slow

ASKED = {
    "funnel": {"step": ["Product Viewed", "Order Completed"]},
    "funnel trend": {"step": ["Product Viewed", "Order Completed"], "trend": "week"},
    "retention": {"birth_event": "Product Viewed", "return_event": "Order Completed"},
    "engagement": {},
    "frequency": {},
    "insights": {"event": ["Product Viewed"]},
    "insights by category": {"event": ["Product Viewed"], "unit": "range", "breakdown": "category"},
    "reconcile": {},
    "arpu": {"unit": "day"},
    "conversion": {"unit": "day"},
    "categories": {},
}
PEOPLE = ("ann", "ben", "cleo")
PAID = {"order_revenue": 20.0}
TOY = {"category": "Toys", "price": 20.0, "line_revenue": 20.0}


def order(who: str, day: int) -> dict[str, str]:
    return {"order_id": f"{who}-{day}", "currency": "USD"}


@pytest.fixture(scope="module")
def answers():
    events = [
        made
        for day in (1, 2, 9, 16)
        for number, who in enumerate(PEOPLE)
        for made in (
            row("Product Viewed", f"2026-03-{day:02} 10:0{number}", who, category="Toys"),
            row(
                "Order Completed",
                f"2026-03-{day:02} 11:0{number}",
                who,
                **order(who, day),
                order_revenue=20.0,
            ),
            row("Product Purchased", f"2026-03-{day:02} 11:0{number}", who, **order(who, day), **TOY),
        )
    ]
    store = desk(events)
    return {
        name: ask(kind_of(name.split()[0]).question.model_validate(given), store)
        for name, given in ASKED.items()
    }


@pytest.mark.parametrize("name", ASKED)
def test_it_has_a_chart_that_says_what_it_shows(answers, name):
    charts = charts_of(answers[name], [Mark(date(2026, 3, 9), "Offer")])

    assert charts
    assert all(chart.says.endswith(".") and chart.spec["description"] == chart.says for chart in charts)


def test_chromium_draws_them_all_on_one_page(answers, tmp_path):
    require(is_installed(), "Chromium")
    marks = [Mark(date(2026, 3, 9), "Offer")]

    shown = show(html(dashboard("Everything", answers, marks)), tmp_path)

    drawn = re.findall(r'<svg[^>]*class="marks"', shown.dom)
    assert shown.console == []
    assert len(drawn) == sum(len(charts_of(answer, marks)) for answer in answers.values())


def test_annotations_stand_on_charts_over_time_and_only_within_the_range(answers):
    drawn = str([chart.spec for chart in charts_of(answers["arpu"], [Mark(date(2026, 3, 9), "Offer")])])
    outside = str([chart.spec for chart in charts_of(answers["arpu"], [Mark(date(2027, 1, 1), "Offer")])])

    assert "Offer" in drawn
    assert "Offer" not in outside


def test_an_answer_without_rows_has_a_page_and_no_picture():
    empty = ask(kind_of("reconcile").question.model_validate({}), desk([]))

    assert charts_of(empty) == []
    assert "<h1>" in html(dashboard("Nothing", {"reconcile": empty}))
    with pytest.raises(ConfigError, match="no chart to draw"):
        png(empty)
