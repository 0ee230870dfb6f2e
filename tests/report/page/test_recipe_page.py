"""The recipe's page: what Chromium shows, and that its figures are those of the JSON."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from html.parser import HTMLParser

import orjson
import pytest

from connector.report.answer import Mark, plain
from connector.report.asking import Asking
from connector.report.desks.duck import PREPARED, RAW, DuckDesk, resolve_as_of
from connector.report.kinds import recipe
from connector.report.page.page import cell, dashboard, html, png
from connector.report.page.people import short
from connector.report.page.story import recipe_page
from tests.conftest import require
from tests.report.page.browser import is_installed, show
from tests.report.sample_lake import NOW, sample_lake

PROMOTION = Mark(date(2026, 3, 2), "Promotion begins", ("promotion",))

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def asking() -> Asking:
    lake = sample_lake(promotion=True)
    resolve_as_of(lake, round(NOW.timestamp() * 1_000))
    given = (*RAW, *PREPARED)
    return Asking(recipe.Asked.model_validate({}), DuckDesk(lake, "memory", given), NOW, marks=[PROMOTION])


@pytest.fixture(scope="module")
def answer(asking: Asking):
    return recipe.answer(asking)


@pytest.fixture(scope="module")
def page(answer) -> str:
    return html(recipe_page(answer, [PROMOTION]))


class Document(HTMLParser):
    """Elements with a ``data-path`` and their texts, charts, and every attribute by tag."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.figures: list[tuple[str, str]] = []
        self.charts: dict[str, int] = {}
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self._path: str | None = None
        self._chart: str | None = None
        self._text: dict[str, list[str]] = {}
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        self.tags.append((tag, found))
        self._path = found.get("data-path", self._path if tag in ("b", "i") else None)
        if "data-chart" in found:
            self._chart = found["data-chart"]
            self.charts[self._chart] = 0
        if tag == "svg" and self._chart:
            self.charts[self._chart] += 1

    def handle_data(self, data):
        if self._path is not None and data.strip():
            self.figures.append((self._path, data.strip()))

    def handle_endtag(self, tag):
        self._path = None


def at(document, path: str):
    """The value of a path as ``rows.3.conversion`` in the JSON."""
    for step in path.split("."):
        document = document[int(step)] if isinstance(document, list) else document[step]
    return document


def titles_of(page: str) -> list[str]:
    return re.findall(r'<h2 id="[^"]+-title">([^<]+)</h2>', page)


def embedded(page: str):
    return orjson.loads(re.search(r'id="answers">(.*?)</script>', page, re.DOTALL)[1])


def test_the_recipes_own_figures_appear(answer):
    rows = {row["category"]: row for row in answer.rows}

    home, fun = rows["Home Supplies"], rows["Entertainment"]
    assert (home["converted"], home["viewers"], f"{home['conversion']:.2%}") == (180, 445, "40.45%")
    assert (fun["converted"], fun["viewers"], f"{fun['conversion']:.2%}") == (135, 340, "39.71%")
    assert (round(home["avg_price"], 2), home["rank_by_purchases"]) == (461.20, 2)
    assert (round(fun["avg_price"], 2), fun["rank_by_purchases"]) == (460.50, 3)
    assert answer.extra["category"] == "Home Supplies"
    assert answer.extra["cohort_size"] == 265 == len(answer.parts["dropped"].rows)


def test_the_four_steps_are_there_with_their_warning(page, answer):
    assert titles_of(page) == [
        "Orders become purchases",
        "Home Supplies is dear and converts badly",
        "Why does this differ?",
        "Who looked and did not buy",
        "What they brought in, over time",
        "Before and after",
        "Against a control group",
    ]
    assert "overstates the promotion" in page
    assert set(answer.parts) == {
        "reconcile", "readings", "dropped", "arpu", "conversion", "before-after", "experiment",
    }  # fmt: skip


def test_chromium_draws_every_chart_and_has_nothing_to_complain_of(page, tmp_path):
    require(is_installed(), "Chromium")

    shown = show(page, tmp_path)

    document = Document(shown.dom)
    assert shown.console == []
    assert len(document.charts) >= 6
    assert set(document.charts.values()) == {1}
    assert 'data-drawn="yes"' in shown.dom


@pytest.mark.parametrize("dark", [False, True])
def test_a_phone_shows_it_without_scrolling_sideways(page, tmp_path, dark):
    require(is_installed(), "Chromium")

    shown = show(page, tmp_path, 390, dark=dark)

    assert re.search(r'data-overflow="(\d+)"', shown.dom)[1] == "0"
    assert shown.console == []


def test_the_figures_on_the_page_are_those_of_the_json(page, answer):
    document = embedded(page)
    figures = Document(page).figures

    assert len(figures) > 100
    for path, text in figures:
        value, name = at(document, path), path.rsplit(".", 1)[-1]
        row = at(document, path.rsplit(".", 1)[0])
        assert text == cell(value, name, row), path
    assert document["rows"] == [{name: plain(value) for name, value in row.items()} for row in answer.rows]


def test_it_asks_the_network_for_nothing(page):
    """The policy forbids it; a breach would stand in the console, which has to be empty."""
    tags = Document(page).tags

    policy = next(
        found["content"] for tag, found in tags if found.get("http-equiv") == "Content-Security-Policy"
    )
    assert policy.startswith("default-src 'none'; ")
    assert "connect-src" not in policy
    assert not [found for _, found in tags if found.get("src")]
    assert {found["href"][0] for tag, found in tags if found.get("href")} == {"#"}


def test_every_number_carries_its_definition(page):
    tags = Document(page).tags

    numbers = [found for tag, found in tags if tag == "td" and found.get("class") == "number"]
    assert len(numbers) > 100
    assert all(found.get("title") for found in numbers)
    assert all(found.get("data-says") for tag, found in tags if tag == "dd")


def test_it_can_be_read_with_a_keyboard_and_a_screen_reader(page):
    tags = Document(page).tags

    assert ("html", {"lang": "en"}) in tags
    assert all(found.get("aria-label") for tag, found in tags if "data-chart" in found)
    assert all(found.get("tabindex") == "0" for tag, found in tags if tag == "dd")
    assert all(found.get("scope") == "col" for tag, found in tags if tag == "th")
    assert [tag for tag, _ in tags if tag in ("h1", "main", "header", "footer")].count("h1") == 1
    assert any(tag == "a" and found.get("href") == "#main" for tag, found in tags)


def test_nobody_is_named_and_no_id_is_whole_unless_asked(page, answer):
    whole = [row["uid"].removeprefix("$device:") for row in answer.parts["dropped"].rows]

    assert not [uid for uid in whole if uid in page]
    assert not re.findall(
        r"[\w.]+@[\w.]+\.[a-z]{2,}", re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL)
    )
    assert "@example.com" not in page
    assert short(answer.parts["dropped"].rows[0]["uid"]) in page


def test_a_dashboard_shortens_ids_too(answer):
    whole = [row["uid"].removeprefix("$device:") for row in answer.parts["dropped"].rows]

    page = html(dashboard("Ours", {"people": answer.parts["dropped"]}))

    assert not [uid for uid in whole if uid in page]


def test_contacts_are_printed_only_when_asked(asking):
    asked = recipe.Asked.model_validate({"with_contacts": True})

    found = recipe.answer(asking.other(asked))

    assert "@example.com" in html(recipe_page(found))


def test_another_category_can_be_told(asking):
    found = recipe.answer(asking.other(recipe.Asked.model_validate({"category": "Toys"})))

    assert found.extra["category"] == "Toys"
    assert ">Toys: looked at, and not bought<" in html(recipe_page(found))


def test_any_answers_make_a_dashboard(answer):
    page = html(dashboard("Ours", {"money": answer.parts["arpu"], "weekly": answer.parts["conversion"]}))

    assert titles_of(page) == ["Money", "Weekly"]
    assert set(embedded(page)["answers"]) == {"money", "weekly"}


def test_a_chart_becomes_a_picture_without_a_browser(answer):
    picture = png(answer.parts["arpu"], [PROMOTION])

    assert picture[:8] == b"\x89PNG\r\n\x1a\n"
    assert len(picture) > 10_000


def test_text_of_events_cannot_become_markup(asking, answer):
    evil = "</script><script>alert(1)</script>"
    rows = [
        {**row, "category": evil if row["category"] == "Toys" else row["category"]} for row in answer.rows
    ]
    page = html(recipe_page(replace(answer, rows=rows)))

    assert evil not in page
