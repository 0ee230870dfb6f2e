"""``connector schemas``: what there is, one document, a tracking plan out and a tracking plan in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
import jsonschema
import pytest
from click.testing import CliRunner, Result

from connector.cli import main
from connector.cli_schemas import schemas
from connector.schemas import read_schemas

SHIPPED = read_schemas()
GIFT = {
    "title": "Gift Wrapped",
    "description": "A present was wrapped.",
    "properties": {"properties": {"required": ["paper"], "properties": {"paper": {"type": "string"}}}},
}


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["schemas", *map(str, arguments)])


def ok(*arguments: str | Path) -> str:
    ran = run(*arguments)
    assert ran.exit_code == 0, ran.output
    return ran.stdout


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A folder that adds an event, and makes a missing revenue reject."""
    folder = tmp_path / "own"
    folder.mkdir()
    order = json.loads(json.dumps(SHIPPED["order_completed.json"]))
    order["properties"]["properties"]["x-policy"] = {"required": "reject"}
    (folder / "order_completed.json").write_text(json.dumps(order))
    (folder / "gift_wrapped.json").write_text(json.dumps(GIFT))
    return folder


# list


def test_list_shows_every_document_with_what_it_holds_for() -> None:
    lines = ok("list").splitlines()

    assert lines[0].split() == ["holds", "for", "file", "origin", "properties", "policy", "required"]
    assert len(lines) == 1 + len(SHIPPED)
    assert lines[1].split() == [
        "every", "call", "envelope.json", "shipped", "44", "flag", "userId", "or", "anonymousId"
    ]  # fmt: skip
    assert "order_id, revenue, products" in next(line for line in lines if line.startswith("Order Completed"))


def test_list_tells_whose_a_document_is_and_where_it_rejects(own: Path) -> None:
    rows = {row["file"]: row for row in json.loads(ok("list", "--json", "--schemas", own))}

    assert rows["gift_wrapped.json"] == {
        "about": "Gift Wrapped", "event": "Gift Wrapped", "call": None, "file": "gift_wrapped.json",
        "origin": "own", "properties": 1, "required": ["paper"], "policy": "flag", "rejects_at": [],
    }  # fmt: skip
    assert rows["order_completed.json"]["origin"] == "own, replaces shipped"
    assert rows["order_completed.json"]["rejects_at"] == ["#/properties/properties"]
    assert rows["identify.json"]["call"] == "identify"
    assert rows["identify.json"]["origin"] == "shipped"
    assert "flag, rejects at #/properties/properties" in ok("list", "--schemas", own)


def test_the_folder_of_the_configuration_is_taken(own: Path, tmp_path: Path) -> None:
    config = tmp_path / "connector.yaml"
    config.write_text(json.dumps({"schemas": str(own)}))

    assert "Gift Wrapped" in CliRunner(env={"CONNECTOR_CONFIG": str(config)}).invoke(
        main, ["schemas", "list"]
    ).stdout  # fmt: skip
    assert "Gift Wrapped" not in ok("list")


def test_every_fault_of_the_users_folder_is_told_together(own: Path) -> None:
    (own / "gift_wrapped.json").write_text('{"title": "Gift Wrapped", "requird": []}')
    (own / "returned.json").write_text('{"type": "objet"}')

    ran = run("list", "--schemas", own)

    assert (ran.exit_code, ran.stdout) == (2, "")
    assert "gift_wrapped.json# requird is no keyword" in ran.stderr
    assert "returned.json#/type 'objet'" in ran.stderr


# show


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("Order Completed", "order_completed.json"),
        ("order_completed", "order_completed.json"),
        ("orderCompleted", "order_completed.json"),
        ("ORDER-COMPLETED", "order_completed.json"),
        ("Completed Order", "order_completed.json"),
        ("completed_order", "order_completed.json"),
        ("order_completed.json", "order_completed.json"),
        ("Viewed Product Category", "product_list_viewed.json"),
        ("identify", "identify.json"),
        ("Identify", "identify.json"),
        ("envelope", "envelope.json"),
        ("product.json", "product.json"),
    ],
)
def test_show_finds_a_document_by_any_spelling(name: str, file: str) -> None:
    assert json.loads(ok("show", name)) == SHIPPED[file]


def test_show_resolved_prints_a_document_that_needs_no_other() -> None:
    order = json.loads(ok("show", "order_completed", "--resolved"))
    event = json.loads((Path(__file__).parents[2] / "examples/events/order_completed.json").read_text())

    jsonschema.Draft202012Validator(order).validate(event)
    del event["properties"]["products"][0]["price"]
    [error] = jsonschema.Draft202012Validator(order).iter_errors(event)
    assert list(error.absolute_path) == ["properties", "products", 0]


def test_a_name_that_is_none_is_answered_with_the_nearest() -> None:
    ran = run("show", "Ordr Completd")

    assert (ran.exit_code, ran.stdout) == (1, "")
    assert "no schema for Ordr Completd; nearest: Order Completed" in ran.stderr
    assert (
        run("show", "zzzzzzzz").stderr
        == "connector: no schema for zzzzzzzz. connector schemas list shows all\n"
    )


@pytest.mark.parametrize(
    "arguments",
    [("show",), ("export", "--format", "xml"), ("list", "--schemas", "nowhere"), ("import", "nowhere.json")],
)
def test_wrong_usage_is_exit_code_2(arguments: tuple[str, ...]) -> None:
    assert run(*arguments).exit_code == 2


# export


def test_export_prints_a_tracking_plan_and_says_what_it_cannot_hold() -> None:
    ran = run("export")

    assert [each["type"] for each in json.loads(ran.stdout)["rules"]][:2] == ["COMMON", "IDENTIFY"]
    assert len(json.loads(ran.stdout)["rules"]) == 33
    assert "alias.json: left out" in ran.stderr
    assert "track.json: left out" in ran.stderr


def test_export_of_chosen_events_into_a_file_or_a_folder(tmp_path: Path) -> None:
    chosen = ["export", "--event", "completed_order", "--event", "Gift Wrapped"]
    own = tmp_path / "own"
    own.mkdir()
    (own / "gift_wrapped.json").write_text(json.dumps(GIFT))
    ok(*chosen, "--schemas", own, "-o", tmp_path / "plan.json")
    ok(*chosen, "--schemas", own, "-o", tmp_path)

    plan = json.loads((tmp_path / "plan.json").read_text())

    assert [each["key"] for each in plan["rules"]] == ["Gift Wrapped", "Order Completed"]
    assert json.loads((tmp_path / "tracking-plan.json").read_text()) == plan


def test_export_of_json_schemas_that_stand_alone(tmp_path: Path) -> None:
    ok("export", "--format", "json-schema", "-o", tmp_path / "schemas")
    parts = {"product.json", "promotion.json", "coupon.json"}

    written = {path.name: json.loads(path.read_text()) for path in (tmp_path / "schemas").iterdir()}

    assert set(written) == set(SHIPPED) - parts
    assert '"$ref"' not in json.dumps(written)
    assert (
        json.loads(ok("export", "--format", "json-schema", "--event", "cart_viewed"))
        == written["cart_viewed.json"]
    )
    assert json.loads(ok("export", "--format", "json-schema")) == written


def test_what_is_not_there_or_has_no_rule_is_exit_code_1() -> None:
    assert run("export", "--event", "Cart Vewed").exit_code == 1
    assert "Cart Viewed" in run("export", "--event", "Cart Vewed").stderr
    assert run("export", "--event", "alias").exit_code == 1


# import


def plan_file(folder: Path, *rules: Any) -> Path:
    path = folder / "plan.json"
    path.write_text(json.dumps({"data": {"rules": rules}}))
    return path


def rule(key: str = "Gift Wrapped", **schema: Any) -> dict[str, Any]:
    return {"type": "TRACK", "key": key, "version": 1, "jsonSchema": {"type": "object", **schema}}


def test_a_round_trip_of_export_and_import_changes_nothing(own: Path, tmp_path: Path) -> None:
    ok("export", "--schemas", own, "-o", tmp_path / "plan.json")
    ok("import", tmp_path / "plan.json", "--into", tmp_path / "back")
    ok("export", "--schemas", tmp_path / "back", "-o", tmp_path / "again.json")

    assert (tmp_path / "again.json").read_text() == (tmp_path / "plan.json").read_text()


def test_import_writes_documents_and_says_what_they_are_about(tmp_path: Path) -> None:
    plan = plan_file(tmp_path, rule(), rule("Order Completed"), rule("Completed Order"))
    ran = run("import", plan, "--into", tmp_path / "new")

    assert ran.exit_code == 0
    assert [line.rpartition("/")[2] for line in ran.stdout.splitlines()] == [
        "gift_wrapped.json: Gift Wrapped",
        "order_completed.json: Order Completed, instead of the shipped one",
        "completed_order.json: Completed Order",
    ]
    assert "Completed Order: events of this name count as Order Completed" in ran.stderr
    assert json.loads((tmp_path / "new/gift_wrapped.json").read_text())["title"] == "Gift Wrapped"


@pytest.mark.parametrize(
    ("faulty", "place"),
    [
        (rule(requird=["a"]), "plan.json#/data/rules/1/jsonSchema/requird requird is no keyword of draft-07"),
        (rule(properties={"a": {"format": "colour"}}), "gift_wrapped.json#/properties/a/format "),
        (rule(items={"$ref": "#/definitions/none"}), "gift_wrapped.json#/items $ref #/$defs/none leads"),
        (rule(items={"$ref": "https://example.com/x"}), "gift_wrapped.json#/items $ref https://example"),
    ],
    ids=["keyword", "format", "reference", "far reference"],
)  # fmt: skip
def test_what_cannot_be_taken_over_is_told_with_its_place_and_nothing_is_written(
    tmp_path: Path, faulty: Any, place: str
) -> None:
    ran = run("import", plan_file(tmp_path, rule("Gift Returned"), faulty), "--into", tmp_path / "new")

    assert (ran.exit_code, ran.stdout) == (2, "")
    assert place in ran.stderr
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("text", ["{", '{"rules": NaN}', "[" * 100_000, "7"])
def test_a_file_that_is_no_plan_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "plan.json").write_text(text)

    ran = run("import", tmp_path / "plan.json", "--into", tmp_path / "new")

    assert ran.exit_code == 2
    assert "plan.json: " in ran.stderr
    assert "Traceback" not in ran.output


def test_a_document_that_is_there_is_written_over_only_by_force(own: Path, tmp_path: Path) -> None:
    plan = plan_file(tmp_path, rule(), rule("Gift Returned"))
    before = (own / "gift_wrapped.json").read_text()

    refused = run("import", plan, "--into", own)

    assert refused.exit_code == 2
    assert "gift_wrapped.json: is there already and says something else; --force" in refused.stderr
    assert (own / "gift_wrapped.json").read_text() == before
    assert not (own / "gift_returned.json").exists()

    ok("import", plan, "--into", own, "--force")
    ok("import", plan, "--into", own)
    assert json.loads((own / "gift_wrapped.json").read_text())["type"] == "object"


@pytest.mark.parametrize("command", schemas.commands)
def test_help_teaches_every_option(command: str) -> None:
    shown = ok(command, "--help")
    options = [each for each in schemas.commands[command].params if isinstance(each, click.Option)]

    assert options
    assert all(option.opts[0] in shown and option.help for option in options)
