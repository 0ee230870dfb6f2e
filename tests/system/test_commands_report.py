"""``connector report``: a question typed, an answer shown; the same on a folder and in S3."""

from __future__ import annotations

import csv
import io
import json
import re
from typing import Any

import pytest
from click.testing import CliRunner, Result
from system.lakes import lake_in
from system.service import Lake

from connector.cli import main
from connector.report.kinds import KINDS, kind_of

pytestmark = pytest.mark.slow


def call(kind: str, who: str, day: int, number: int, **more: Any) -> dict[str, Any]:
    at = f"2026-03-{day:02}T10:00:0{number}.000Z"
    return {
        "type": kind, "userId": who, "messageId": f"{who}-{day}-{number}", "timestamp": at,
        "receivedAt": at, **more,
    }  # fmt: skip


def view(who: str, day: int) -> dict[str, Any]:
    return call(
        "track", who, day, 0, event="Product Viewed", properties={"product_id": "lamp", "category": "Lamps"}
    )


def order(who: str, day: int) -> dict[str, Any]:
    lamp = {"product_id": "lamp", "category": "Lamps", "price": 20, "quantity": 2}
    properties = {"order_id": f"o-{who}", "revenue": 40, "currency": "USD", "products": [lamp]}
    return call("track", who, day, 1, event="Order Completed", properties=properties)


CALLS = [view(who, 1) for who in ("ann", "ben", "cleo", "dan")] + [order("ann", 2), order("ben", 20)]


class Shop:
    """A lake with its commands in this process."""

    def __init__(self, lake: Lake) -> None:
        self.lake = lake
        path = lake.folder / "captured.ndjson"
        path.write_text("".join(json.dumps(event) + "\n" for event in CALLS))
        self.said("replay", str(path))

    def call(self, *arguments: str) -> Result:
        return CliRunner().invoke(main, arguments, env=self.lake.variables, prog_name="connector")

    def said(self, *arguments: str) -> str:
        result = self.call(*arguments)
        assert result.exit_code == 0, result.output + repr(result.exception)
        return result.stdout


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    return Shop(Lake(tmp_path_factory.mktemp("shop"), sources={}))


@pytest.mark.parametrize("place", ["disk", "seaweed"], indirect=True)
def test_a_report_answers_in_json_with_its_definition_moment_and_completeness(place: Shop):
    answer = json.loads(place.said("report", "categories", "--json"))

    assert set(answer) == {"definition", "as_of", "complete", "rows"}
    assert answer["complete"] is True
    assert answer["definition"]["range"] == {"from": "2026-03-01", "to": "2026-03-20", "timezone": "UTC"}
    assert answer["definition"]["parameters"]["window"] == "7d"
    assert list(answer["rows"][0]) == list(answer["definition"]["columns"])
    lamps = answer["rows"][0]
    assert [lamps[name] for name in ("viewers", "converted", "conversion", "purchases", "avg_price")] == [
        4, 1, 0.25, 2, 20,
    ]  # fmt: skip


@pytest.fixture
def place(request: pytest.FixtureRequest, tmp_path: Any) -> Shop:
    return Shop(lake_in(request, tmp_path, sources={}))


def test_a_pipe_gets_all_columns_and_csv_the_same(shop: Shop):
    tabs = list(csv.DictReader(io.StringIO(shop.said("report", "categories")), delimiter="\t"))
    commas = list(csv.DictReader(io.StringIO(shop.said("report", "categories", "--csv"))))

    assert tabs == commas
    assert set(tabs[0]) == set(kind_of("categories").question.COLUMNS)


def test_what_is_received_later_is_not_counted_as_of_a_moment(shop: Shop):
    then = json.loads(shop.said("report", "categories", "--json", "--as-of", "2026-03-01T12:00:00Z"))

    assert (then["as_of"], then["complete"]) == ("2026-03-01T12:00:00.000Z", False)
    assert (then["rows"][0]["viewers"], then["rows"][0]["converted"]) == (4, 0)


def test_days_are_those_of_the_zone(shop: Shop):
    answer = json.loads(shop.said("report", "categories", "--json", "--timezone", "Pacific/Kiritimati"))

    assert answer["definition"]["range"]["to"] == "2026-03-21"


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (["categories", "--window", "a week"], "--window: a duration is a number and a unit"),
        (["categories", "--timezone", "Berlin"], "timezone: Berlin is no zone of the IANA database"),
        (["categories", "--from", "2026-03-09", "--to", "2026-03-01"], "from: the first day lies after"),
        (["categories", "--as-of", "noon"], "--as-of: a moment is written as"),
        (["arpu", "--cohort", "nobody"], "nobody"),
        (["--saved", "nothing"], "nothing"),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_is_said_in_a_line_with_its_place(shop: Shop, typed: list[str], said: str):
    result = shop.call("report", *typed)

    assert result.exit_code == 2
    assert said in result.stderr
    assert "Traceback" not in result.output


def test_help_teaches_every_report_its_definition_columns_and_defaults(shop: Shop):
    listed = shop.said("report", "--help")
    for name in KINDS:
        help_text = " ".join(shop.said("report", name, "--help").split())
        question = kind_of(name).question
        assert name in listed
        assert " ".join(question.SAYS.split())[:60] in help_text
        assert "Defaults: all data, time zone UTC, ratios as fractions" in help_text
        assert all(f"{column}:" in help_text for column in question.COLUMNS)


def test_a_saved_report_is_asked_again_at_a_new_moment_and_several_make_one_page(shop: Shop):
    shop.said("report", "categories", "--window", "30d", "--as-of", "2026-03-01", "--save", "lamps-month")
    shop.said("report", "arpu", "--unit", "month", "--save", "money")

    saved = json.loads(shop.said("report", "saved", "--json"))
    answers = json.loads(shop.said("report", "--saved", "lamps-month,money", "--json"))
    page = shop.lake.folder / "board.html"
    shop.said("report", "--saved", "lamps-month,money", "--html", str(page))

    assert {one["id"]: one["parameters"] for one in saved} == {
        "lamps-month": {"window": "30d"},
        "money": {"unit": "month"},
    }
    assert answers["lamps-month"]["rows"][0]["converted"] == 2
    assert answers["money"]["rows"][0]["arpu"] == 20
    assert re.findall(r'<h2 id="[^"]+-title">([^<]+)<', page.read_text()) == ["Lamps month", "Money"]


def test_saving_again_makes_the_next_version(shop: Shop):
    for window in ("1d", "2d"):
        shop.said("report", "categories", "--window", window, "--save", "twice")

    saved = {one["id"]: one for one in json.loads(shop.said("report", "saved", "--json"))}
    assert (saved["twice"]["version"], saved["twice"]["parameters"]) == (2, {"window": "2d"})
    assert (shop.lake.data / "saved/reports/twice").is_dir()


def test_an_annotation_stands_on_the_charts_over_time(shop: Shop):
    shop.said("report", "annotate", "--at", "2026-03-09", "--tag", "promotion", "Lamps are on offer")
    page = shop.lake.folder / "arpu.html"

    shop.said("report", "arpu", "--html", str(page))

    assert "Lamps are on offer" in page.read_text()
    assert "Lamps are on offer" in shop.said("report", "annotations")


def test_a_chart_is_drawn_into_a_picture(shop: Shop):
    picture = shop.lake.folder / "arpu.png"

    shop.said("report", "arpu", "--png", str(picture))

    assert picture.read_bytes()[:4] == b"\x89PNG"


def test_athena_gets_text_and_nothing_is_run(shop: Shop):
    text = shop.said("report", "categories", "--engine", "athena")

    assert "not run" in text
    assert "WITH" in text
    assert "FROM events_raw" in text


def test_addresses_are_shown_only_when_asked(shop: Shop):
    path = shop.lake.folder / "profiles.ndjson"
    path.write_text(json.dumps(call("identify", "cleo", 1, 2, traits={"email": "cleo@example.com"})) + "\n")
    shop.said("replay", str(path))

    assert "cleo@example.com" not in shop.said("report", "dropped", "--category", "Lamps")
    assert "cleo@example.com" in shop.said("report", "dropped", "--category", "Lamps", "--with-contacts")
