"""docs/segment-and-mixpanel.md is code: its blocks run, and its tables say what the shipped mappings do."""

from __future__ import annotations

import json
import re
import shlex
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import pytest
import test_readme
from click.testing import CliRunner
from test_readme import ROOT, commands_of, run

from connector.cli import main
from connector.errors import ConfigError
from connector.report.kinds import KINDS, kind_of
from connector.report.options import question_from

PAGE = (ROOT / "docs" / "segment-and-mixpanel.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
PRODUCT = {"product_id": "p-1", "category": "Lamps", "quantity": 1}

environment = test_readme.environment


def blocks(language: str) -> list[str]:
    return [text for name, text in BLOCKS if name == language]


def what_lasts(printed: str) -> list[str]:
    """Lines without the free space of a disk and without blanks at their ends."""
    return [line.rstrip() for line in printed.splitlines() if line.strip() and not line.startswith("disk")]


def call(event: str = "Order Completed", **keys: Any) -> dict[str, Any]:
    timestamp = "2026-03-15T00:00:00.000Z"
    return {"type": "track", "event": event, "messageId": "m", "userId": "u", "timestamp": timestamp, **keys}


def order_of(**product: Any) -> dict[str, Any]:
    properties = {"order_id": "o", "revenue": 5, "currency": "USD", "products": [{**PRODUCT, **product}]}
    return call(properties=properties)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where a reader would type the commands: the checkout's files, and those the page says to save."""
    folder = tmp_path_factory.mktemp("page")
    for name in ("examples", "mappings"):
        (folder / name).symlink_to(ROOT / name)
    (folder / "order.json").write_text(blocks("json")[0])
    (folder / "old-names.sql").write_text(blocks("sql")[0])
    return folder


def become(event: dict[str, Any] | str, mapping: Path) -> list[dict[str, Any]]:
    """What ``connector map`` prints: rows, each with its table, or what is rejected."""
    text = event if isinstance(event, str) else json.dumps(event)
    done = CliRunner().invoke(main, ["map", "--mapping", str(mapping), "-"], input=text)
    assert done.exit_code == 0, done.output
    items = [json.loads(line) for line in done.stdout.splitlines()]
    return [{"table": item["table"], **item["row"]} if "row" in item else item for item in items]


def here(event: dict[str, Any] | str) -> list[dict[str, Any]]:
    return become(
        event if isinstance(event, str) else json.dumps(event), ROOT / "mappings" / "ecommerce.yaml"
    )


def mixpanel(event: dict[str, Any] | str) -> list[dict[str, Any]]:
    return become(event, ROOT / "mappings" / "mixpanel.yaml")


def cells_of(first: str) -> tuple[str, str]:
    """Mixpanel's cell and ours, in the first table with a line that begins so."""
    line = next(line for line in PAGE.splitlines() if line.startswith(f"| {first} |"))
    theirs, ours = line.split(" | ")[1:]
    return theirs, ours.removesuffix(" |")


def quoted(values: list[str]) -> str:
    return ", ".join(f"`{value}`" for value in values)


def test_the_console_blocks_print_what_they_show(folder: Path, environment: dict[str, str]):
    """One after the other, as a reader would type them."""
    for block in blocks("console"):
        for command, printed in commands_of(block):
            done = run(command, folder, environment)
            assert done.returncode == 0, f"{command}\n{done.stdout}"
            assert what_lasts(done.stdout) == what_lasts(printed), command


class TestTheOrderOfTwoProducts:
    ORDER = blocks("json")[0]

    def test_names_ids_and_times_are_those_of_the_table(self):
        sent = [row["properties"] for row in mixpanel(self.ORDER)]
        rows = here(self.ORDER)

        assert cells_of("names")[0] == quoted([row["event"] for row in rows])
        assert [row["event"] for row in mixpanel(self.ORDER)] == [row["event"] for row in rows]
        ids = [f"{row['row_id'][:8]}…" for row in rows]
        (message_id,) = {row["message_id"] for row in rows}
        assert cells_of("identity") == (
            f"`$insert_id` {quoted([row['$insert_id'] for row in sent])}",
            f"`row_id` {quoted(ids)}; `message_id` `{message_id}` on all",
        )
        times = [str(row["time"]) for row in sent]
        (time,) = {row["timestamp"] for row in rows}
        assert cells_of("time") == (
            f"`{times[0]}`, then 1 ms less, 2 ms less: {quoted(times[1:])}", f"`{time}` on all"
        )  # fmt: skip
        days = [datetime.fromtimestamp(row["time"] / 1000, UTC).strftime("%-d %B") for row in sent]
        assert cells_of("day, in UTC") == (", ".join(days), "15 March")

    def test_amounts_stand_where_the_table_says(self):
        order, *products = [row["properties"] for row in mixpanel(self.ORDER)]
        main_row, *lines = here(self.ORDER)

        assert (order["revenue"], main_row["order_revenue"]) == (112.5, "112.5")
        assert not any("revenue" in product for product in products)
        assert not any("order_revenue" in line for line in lines)
        assert [line["line_revenue"] for line in lines] == ["64", "48.5"]
        assert [product["price"] for product in products] == [64, 24.25]
        assert [row.get("line_index") for row in (main_row, *lines)] == [None, 0, 1]
        assert {row["line_count"] for row in (main_row, *lines)} == {2}

    def test_what_products_take_from_their_order(self):
        order, *products = [row["properties"] for row in mixpanel(self.ORDER)]
        main_row, *lines = here(self.ORDER)

        for name, in_mixpanel, in_ours in (
            ("currency", [False, False], [True, True]),
            ("coupon", [False, False], [False, False]),
            ("order_id", [True, True], [True, True]),
            ("checkout_id", [True, True], [True, True]),
            ("distinct_id", [True, True], [True, True]),
            ("products", [False, False], [False, False]),
        ):
            assert name in order.keys() & main_row.keys()
            assert [name in product for product in products] == in_mixpanel, name
            assert [name in line for line in lines] == in_ours, name
        assert not any("colour" in product for product in products)
        assert [json.loads(line["properties"])["colour"] for line in lines] == ["brass", "warm"]

    def test_amounts_of_the_order_stay_with_it_and_the_affiliation_goes_along_here_only(self):
        event = (ROOT / "examples" / "events" / "order_completed.json").read_text(encoding="utf-8")
        stay = {"subtotal", "total", "shipping", "tax", "discount"}
        order, *products = [row["properties"] for row in mixpanel(event)]
        main_row, *lines = here(event)

        assert stay | {"affiliation"} <= order.keys() & main_row.keys()
        assert not any(stay & row.keys() for row in (*products, *lines))
        assert not any("affiliation" in product for product in products)
        assert all("affiliation" in line for line in lines)

    def test_the_switch_is_on_and_can_be_turned_off(self, tmp_path: Path):
        shipped = (ROOT / "mappings" / "ecommerce.yaml").read_text(encoding="utf-8")
        assert shipped.count("generatePurchaseEventPerProduct: true") == 1
        without = tmp_path / "orders-only.yaml"
        without.write_text(shipped.replace("PerProduct: true", "PerProduct: false"))

        assert [row["event"] for row in become(self.ORDER, without)] == ["Order Completed"]


class TestTheSameEventsInMixpanelAndHere:
    def test_a_view_keeps_its_properties_in_both(self):
        properties = {**PRODUCT, "shade": "moss"}
        (sent,), (row,) = (side(call("Product Viewed", properties=properties)) for side in (mixpanel, here))

        assert sent["event"] == row["event"] == "Product Viewed"
        assert properties.items() <= sent["properties"].items()
        assert (row["category"], json.loads(row["properties"])) == ("Lamps", properties)

    @pytest.mark.parametrize("spelling", ["order completed", "order_completed", "Completed Order"])
    def test_another_spelling_is_an_order_here_only(self, spelling: str):
        event = call(spelling, properties={"products": [PRODUCT]})

        assert [row["event"] for row in mixpanel(event)] == [spelling]
        rows = here(event)
        assert [row["event"] for row in rows] == ["Order Completed", "Product Purchased"]
        assert "event_renamed" in [flag["code"] for flag in rows[0]["flags"]]

    def test_a_purchase_that_a_sender_names_so_is_no_line(self):
        (row,) = here(call("Product Purchased", properties={**PRODUCT, "price": 2}))

        assert "line_index" not in row
        assert "line_revenue" not in row

    def test_pages_people_and_aliases(self):
        page = {"type": "page", "messageId": "m", "userId": "u", "name": "Home"}
        assert [row["event"] for row in mixpanel(page)] == ["Viewed Home"]
        assert [(row["event"], row["page_name"]) for row in here(page)] == [("page", "Home")]
        identify = {
            "type": "identify",
            "messageId": "m",
            "userId": "u",
            "anonymousId": "a",
            "traits": {"plan": "g"},
        }
        assert [row["table"] for row in mixpanel(identify)] == ["track", "engage"]
        assert mixpanel(identify)[0]["event"] == "$identify"
        assert [row["table"] for row in here(identify)] == ["profiles"]
        alias = {"type": "alias", "messageId": "m", "userId": "u", "previousId": "a"}
        assert mixpanel(alias) == []
        assert [row["table"] for row in here(alias)] == ["aliases"]

    @pytest.mark.parametrize(
        ("ids", "in_mixpanel", "in_ours"),
        [
            ({"userId": "u", "anonymousId": "a"}, "u", "u"),
            ({"userId": None, "anonymousId": "a"}, "a", "a"),
            ({"userId": "", "anonymousId": "a"}, "", "a"),
            ({"userId": None}, "", None),
        ],
    )
    def test_who_it_was(self, ids: dict[str, Any], in_mixpanel: str, in_ours: str | None):
        event = call("Seen", **ids)

        assert mixpanel(event)[0]["properties"]["distinct_id"] == in_mixpanel
        assert here(event)[0].get("distinct_id") == in_ours

    def test_a_time_before_2010_gives_way_to_the_arrival(self):
        arrival = "2026-03-15T00:00:00.000Z"
        (row,) = here(call("Seen", timestamp="1999-01-01T00:00:00Z", receivedAt=arrival))

        assert row["timestamp"] == arrival
        assert "time_replaced" in [flag["code"] for flag in row["flags"]]

    def test_a_price_that_is_no_number_refuses_the_order_in_mixpanel_only(self):
        assert [item["rejected"]["code"] for item in mixpanel(order_of(price="abc"))] == ["mapping_failed"]
        _, line = here(order_of(price="abc"))
        assert "price" not in line
        assert "number_unreadable" in [flag["code"] for flag in line["flags"]]

    def test_a_price_of_null_is_0_in_mixpanel_only(self):
        assert mixpanel(order_of(price=None))[1]["properties"]["price"] == 0
        _, line = here(order_of(price=None))
        assert "price" not in line
        assert "price_missing" in [flag["code"] for flag in line["flags"]]


def commands_in(text: str) -> list[list[str]]:
    """Words of each ``connector`` command of a shell block, over several lines too, without its comment."""
    lines = text.replace("\\\n", " ").splitlines()
    return [shlex.split(line, comments=True)[1:] for line in lines if line.startswith("connector ")]


def checked(words: list[str]) -> None:
    """Read the words as the command line would, and run nothing. Raises what click or the question says."""
    command: click.Command = main
    context = click.Context(main, info_name="connector")
    while isinstance(command, click.Group):
        found = command.get_command(context, words[0])
        assert found is not None, f"there is no {words[0]}"
        command, words = found, words[1:]
        if isinstance(command, click.Group):
            context = click.Context(command, parent=context, info_name=command.name)
    read = command.make_context(command.name, list(words), parent=context)
    if read.args:
        checked(["report", read.params["kind"], *read.args])
    if context.info_name == "report" and command.name in KINDS:
        question = kind_of(command.name).question
        question_from(question, {name: read.params[name] for name in question.model_fields})


@pytest.mark.parametrize(
    "words", [words for text in blocks("sh") for words in commands_in(text)], ids=" ".join
)
def test_every_command_has_the_options_it_is_shown_with(words: list[str]):
    checked(words)


def test_an_option_that_is_not_there_and_a_value_that_does_not_fit_are_found():
    with pytest.raises(click.NoSuchOption):
        checked(["report", "categories", "--colour", "red"])
    with pytest.raises(ConfigError, match="--window"):
        checked(["report", "categories", "--window", "a week"])


def test_every_link_of_the_page_leads_somewhere():
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", PAGE) if not link.startswith("https:")]
    assert links
    assert [link for link in links if not (ROOT / "docs" / link).exists()] == []
