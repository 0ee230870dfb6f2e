"""``connector rejected list`` and ``show``: what was not taken, why, and the line that says so."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import orjson
import pytest
from s3_servers import S3Server
from system.archives import lines
from system.service import Lake

pytestmark = pytest.mark.slow

SCHEMA = """{
  "title": "Order Completed",
  "properties": {
    "properties": {
      "required": ["order_id"], "x-policy": {"required": "reject"},
      "properties": {
        "revenue": {
          "type": "number"
        }
      }
    }
  }
}
"""
CUSTOMER = "mira@example.com"


def order(number: int, at: str | None = None, **properties: Any) -> dict[str, Any]:
    said = {"receivedAt": f"{at}.000Z"} if at else {}
    return {
        "type": "track", "event": "Order Completed", "messageId": f"m{number}", "userId": CUSTOMER,
        **said, "properties": {"coupon": CUSTOMER, **properties},
    }  # fmt: skip


WEB = [
    order(1, "2026-03-01T10:00:00", revenue="12"),
    order(2, "2026-03-02T11:30:00"),
    order(3, "2026-03-02T12:00:00", order_id="o3"),
    {**order(4, "2026-03-01T10:00:00"), "event": None},
]
TILL = [order(5), {**order(6), "type": "[/red]\x1b[31m"}, order(2, "2026-03-05T00:00:00", revenue="again")]


def with_schema(folder: Path, **settings: Any) -> Lake:
    (folder / "schemas").mkdir()
    (folder / "schemas" / "order_completed.json").write_text(SCHEMA)
    settings = {"schemas": str(folder / "schemas"), "privacy_key": "env:PRIVACY_KEY", **settings}
    environment = {"PRIVACY_KEY": "one key for all of these lakes", **settings.pop("environment", {})}
    return Lake(folder, settings, {"web": {}, "till": {}, "idle": {}}, environment)


def filled(lake: Lake) -> Lake:
    for source, content in (("web", lines(WEB)), ("till", lines(TILL) + b'{"type":"tra')):
        path = lake.folder / f"{source}.ndjson"
        path.write_bytes(content)
        lake.run("replay", str(path), "--source", source)
    return lake


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    return filled(with_schema(tmp_path_factory.mktemp("rejected")))


def listed(lake: Lake, *options: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = orjson.loads(lake.ok("rejected", "list", "--json", *options))
    return found


def shown(lake: Lake, *arguments: str) -> dict[str, Any]:
    found: dict[str, Any] = orjson.loads(lake.ok("rejected", "show", "--json", *arguments))
    return found


def test_events_are_counted_by_reason_and_event_with_when_and_where(lake: Lake) -> None:
    groups = listed(lake)

    assert [(each["reason"], each["event"], each["sources"], each["events"]) for each in groups] == [
        ("schema_violation", "Order Completed", ["till", "web"], 4),
        ("event_missing", "track", ["web"], 1),
        ("truncated", None, ["till"], 1),
        ("type_unknown", "Order Completed", ["till"], 1),
    ]
    first = groups[0]
    assert (first["first_seen"], first["last_seen"]) == ("2026-03-01T10:00:00Z", "2026-03-05T00:00:00Z")
    assert (first["path"], first["captured_index"]) == ("/properties/order_id", 2)
    assert groups[2]["first_seen"] is None


def test_what_it_is_about_can_be_narrowed(lake: Lake) -> None:
    assert [each["events"] for each in listed(lake, "--source", "till")] == [2, 1, 1]
    assert [each["events"] for each in listed(lake, "--since", "2026-03-02")] == [2]
    assert [each["events"] for each in listed(lake, "--reason", "truncated")] == [1]
    assert listed(lake, "--source", "idle") == []


def test_a_pipe_gets_tab_separated_values_and_the_next_step_goes_to_standard_error(lake: Lake) -> None:
    ran = lake.run("rejected", "list")

    head, *rows = ran.stdout.decode().splitlines()
    assert head.split("\t")[:4] == ["reason", "event", "sources", "events"]
    assert [row.split("\t")[3] for row in rows] == ["4", "1", "1", "1"]
    place = rows[0].split("\t")[-1]
    assert shown(lake, place)["message_id"] == "m2"
    named = ran.stderr.decode().split("connector rejected show ")[1].split()[0]
    assert shown(lake, named)["message_id"] == "m2"
    assert b"connector rejected redrive --dry-run" in ran.stderr


def test_what_nobody_dates_is_left_out_by_since_and_said(lake: Lake) -> None:
    ran = lake.run("rejected", "list", "--since", "2026-03-02")

    assert b"3 more are left out: nobody says when they were received" in ran.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ("list", "--reason", "schema_voilation"),
            "did you mean schema_violation? There are delete_unproven,",
        ),
        (("list", "--source", "wbe"), "there is no source wbe; there is idle, till, web"),
        (("show", "m99"), "no rejected event is 'm99'; connector rejected list shows them"),
        (("show", "h-:0"), "'h-:0' is the name of 2 rejected events:"),
        (("show", ""), "no rejected event is ''"),
    ],
)
def test_what_there_is_not_is_said_with_what_there_is(
    lake: Lake, arguments: tuple[str, ...], said: str
) -> None:
    ran = lake.run("rejected", *arguments)

    assert ran.returncode == 2
    assert said in ran.stderr.decode()
    assert "Traceback" not in ran.stderr.decode()


def test_an_event_is_explained_with_the_line_of_the_schema(lake: Lake) -> None:
    schema = lake.folder / "schemas" / "order_completed.json"

    text = lake.ok("rejected", "show", "m1")

    assert "reason      schema_violation: a schema whose policy is reject found a violation" in text
    assert "source      web, by file, proven none" in text
    assert "received    2026-03-01T10:00:00Z" in text
    first, second = text.split("\n\n")[1:]
    assert first.splitlines() == [
        '1.  /properties/order_id: required: expected ["order_id"], found missing',
        f'      {schema}:5: "required": ["order_id"], "x-policy": {{"required": "reject"}},',
    ]
    assert second.splitlines() == [
        '2.  /properties/revenue: type: expected "number", found string (noted, does not reject)',
        f'      {schema}:8: "type": "number"',
    ]


def test_no_value_of_a_customer_is_printed_unless_its_bytes_are_asked_for(lake: Lake) -> None:
    assert CUSTOMER not in lake.ok("rejected", "show", "m1") + lake.ok("rejected", "show", "m1", "--json")
    assert CUSTOMER not in lake.ok("rejected", "list") + lake.ok("rejected", "list", "--json")

    kept = lake.run("rejected", "show", "m1", "--raw").stdout

    assert kept == orjson.dumps(WEB[0])
    assert shown(lake, "m1", "--raw")["raw"].encode() == kept


def test_what_a_sender_named_cannot_write_on_the_terminal(lake: Lake) -> None:
    text = lake.ok("rejected", "show", "m6")

    assert "\x1b" not in text
    assert "Order Completed ([/red]\ufffd[31m)" in text


def test_of_a_message_that_was_rejected_twice_the_newest_is_shown(lake: Lake) -> None:
    ran = lake.run("rejected", "show", "m2")

    assert b"2026-03-05T00:00:00Z" in ran.stdout
    assert b"1 more rejected events have this message id" in ran.stderr


def test_a_record_that_cannot_be_read_is_shown_too(lake: Lake) -> None:
    (group,) = listed(lake, "--reason", "truncated")

    found = shown(lake, f"{group['captured_file']}:{group['captured_index']}", "--raw")

    assert (found["raw"], found["violations"]) == ('{"type":"tra', [])
    assert (found["now"]["fate"], found["now"]["reason"]) == ("rejected", "truncated")


def test_an_event_that_passes_now_is_said_to_and_its_violations_stay_those_of_then(tmp_path: Path) -> None:
    lake = filled(with_schema(tmp_path))
    schema = tmp_path / "schemas" / "order_completed.json"
    schema.write_text(SCHEMA.replace("reject", "flag"))

    ran = lake.run("rejected", "show", "m1")

    assert ran.returncode == 0
    assert b"it passes now; bring it in: connector rejected redrive --dry-run --reason" in ran.stderr
    assert "/properties/order_id: required" in ran.stdout.decode()
    assert str(schema) not in ran.stdout.decode()


def test_another_schema_rejects_it_for_another_line(tmp_path: Path) -> None:
    lake = filled(with_schema(tmp_path))
    schema = tmp_path / "schemas" / "order_completed.json"
    schema.write_text(json.dumps({"title": "Order Completed", "required": ["nobody"], "x-policy": "reject"}))

    found = shown(lake, "m1")["violations"][0]

    assert (found["path"], found["file"], found["line"]) == ("/nobody", str(schema), 1)
    assert '"required": ["nobody"]' in found["text"]


def test_where_nothing_is_rejected_that_is_said(tmp_path: Path) -> None:
    lake = with_schema(tmp_path)
    assert lake.run("rejected", "list").returncode == 2
    (tmp_path / "good.ndjson").write_bytes(lines([WEB[2]]))
    lake.ok("replay", str(tmp_path / "good.ndjson"))

    ran = lake.run("rejected", "list")

    assert (ran.returncode, ran.stdout, ran.stderr) == (0, b"", b"nothing is rejected\n")


def test_tables_in_s3_are_asked_the_same(tmp_path: Path, moto: S3Server) -> None:
    lake = filled(
        with_schema(
            tmp_path, data=moto.place().uri, journal=str(tmp_path / "journal"), environment=moto.environment
        )
    )

    assert [each["events"] for each in listed(lake)] == [4, 1, 1, 1]
    assert shown(lake, "m1")["violations"][0]["line"] == 5
