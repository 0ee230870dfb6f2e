"""The commands that write nothing, and what is said to a person who uses them for the first time."""

from __future__ import annotations

import json
import re
from pathlib import Path

import click
import pytest
import yaml
from click.testing import CliRunner
from system.service import Lake

from connector.cli import main
from connector.commands import check
from connector.config import load_settings

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
ORDER = ROOT / "examples/events/order_completed.json"
HIDDEN = "hunter2-the-secret"


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    return Lake(tmp_path_factory.mktemp("words"))


def test_map_shows_the_rows_of_an_event_as_a_person_writes_it_from_a_file_or_standard_input(
    lake: Lake,
) -> None:
    from_file = lake.ok("map", str(ORDER)).splitlines()
    from_input = lake.ok("map", stdin=ORDER.read_bytes()).splitlines()

    assert from_file == from_input
    assert [json.loads(line)["row"]["event"] for line in from_file] == [
        "Order Completed", *["Product Purchased"] * 3
    ]  # fmt: skip
    assert not lake.data.exists(), "nothing was written"


def test_map_shows_a_rejected_line_among_the_others(lake: Lake) -> None:
    good = b'{"type":"track","event":"Cart Viewed","userId":"u","messageId":"m"}\n'

    shown = [json.loads(line) for line in lake.ok("map", "-", stdin=good + b"no json\n" + good).splitlines()]

    assert [next(iter(each)) for each in shown] == ["table", "rejected", "table"]
    assert shown[1]["rejected"]["code"] == "not_json"


def test_check_holds_for_the_shipped_mappings(lake: Lake) -> None:
    ran = lake.run("check", str(ROOT / "mappings"))

    assert (ran.returncode, ran.stderr) == (0, b""), "no fault, no broken case, no trap"
    assert b"ecommerce.yaml: compiles" in ran.stdout


def test_check_names_every_fault_of_a_mapping_with_its_path(lake: Lake) -> None:
    event = {"@path": "$."}
    faulty = {
        "subscriptions": [
            {"name": "a", "subscribe": 'type = "track', "partnerAction": "storeEvent",
             "mapping": {"event": event}},
            {"name": "b", "subscribe": 'type = "page"', "partnerAction": "storeNothing",
             "mapping": {"event": event}},
            {"name": "c", "subscribe": 'type = "page"', "partnerAction": "storeEvent",
             "mapping": {"event": {"@pth": "$."}, "evnt": 1}},
        ]
    }  # fmt: skip
    path = lake.folder / "faulty.yaml"
    path.write_text(yaml.safe_dump(faulty))

    ran = lake.run("check", str(path))

    assert ran.returncode == 1
    for fault in (
        "/subscriptions/0/subscribe", "/subscriptions/1/partnerAction",
        "/subscriptions/2/mapping/event", "/subscriptions/2/mapping/evnt",
    ):  # fmt: skip
        assert f"faulty.yaml: {fault} " in ran.stderr.decode()


TRAPPED = {
    "subscriptions": [
        {"name": "orders", "partnerAction": "storePurchase",
         "subscribe": "type = 'track' or type = \"track\"",
         "mapping": {"event": {"@path": "$."}, "columns": {"brand": "$.properties.brand"}}},
    ]
}  # fmt: skip


@pytest.mark.parametrize(("strict", "code"), [(False, 0), (True, 1)])
def test_check_warns_of_traps_and_fails_for_them_only_when_it_is_strict(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], strict: bool, code: int
) -> None:
    path = tmp_path / "trapped.yaml"
    path.write_text(yaml.safe_dump(TRAPPED))

    assert check.run(load_settings(), [str(path)], strict=strict) == code

    told = capsys.readouterr().err.splitlines()
    assert [(line.split(": ")[1], line.split()[-1]) for line in told] == [
        ("/subscriptions/0/subscribe, column 8", "[single-quotes]"),
        ("/subscriptions/0/subscribe, column 1", "[purchase-not-restricted]"),
        ("/subscriptions/0/mapping/columns/brand", "[text-like-path]"),
    ]
    assert all(line.startswith(f"! {path}: ") for line in told)


def test_check_answers_misspelt_names_with_the_nearest(lake: Lake) -> None:
    path = lake.folder / "misspelt.yaml"
    item = {"name": "a", "subscribe": 'propertes.x = "a" and type = "track"', "partnerAction": "storEvent",
            "mapping": {"event": {"@pth": "$."}}}  # fmt: skip
    path.write_text(yaml.safe_dump({"subscriptions": [item]}))

    ran = lake.run("check", str(path))

    assert ran.returncode == 1
    told = ran.stderr.decode()
    for hint in ("Did you mean properties?", "Did you mean @path?", "did you mean 'storeEvent'?"):
        assert hint in told


def test_check_shows_what_differs_in_a_case_up_to_twenty_lines(lake: Lake) -> None:
    path = lake.folder / "lake.yaml"
    path.write_text((ROOT / "mappings/ecommerce.yaml").read_text())
    event = {"type": "track", "event": "Product Viewed", "userId": "u", "properties": {"brand": "Nord"}}
    row = {
        "event": "Product Viewed",
        "brand": "Sued",
        **dict.fromkeys(map("no_column_{}".format, range(23)), 1),
    }
    cases = [{"name": "views", "event": event, "expect": [{"table": "events", "row": row}]}]
    path.with_name("lake.cases.yaml").write_text(yaml.safe_dump(cases))

    ran = lake.run("check", str(path))

    title, *lines = ran.stderr.decode().splitlines()
    assert (ran.returncode, title) == (1, f"✗ {path}: views:")
    assert len(lines) == 21
    assert lines[-1] == "    … and 27 more"
    assert "\x1b" not in ran.stderr.decode(), "colours are for terminals"


def test_check_tells_expected_from_got_column_by_column_and_row_by_row(lake: Lake) -> None:
    path = lake.folder / "shop.yaml"
    path.write_text((ROOT / "mappings/ecommerce.yaml").read_text())
    properties = {"order_id": "o1", "products": [{"product_id": "p1"}, {"product_id": "p2"}]}
    order = {"type": "track", "event": "Order Completed", "userId": "u", "properties": properties}
    expect = [
        {"table": "events", "row": {"event": "Order Completed", "order_id": "o2"}},
        {"table": "events", "row": {"event": "Product Purchased", "product_id": "p1"}},
    ]
    path.with_name("shop.cases.yaml").write_text(
        yaml.safe_dump([{"name": "an order", "event": order, "expect": expect}])
    )

    assert lake.run("check", str(path)).stderr.decode().splitlines() == [
        f"✗ {path}: an order:",
        '    expect[0].row.order_id: expected "o2", got "o1"',
        "    row[2]: expected no row, got events Product Purchased",
    ]


def test_a_mapping_that_cannot_be_used_stops_every_command_that_needs_it(lake: Lake) -> None:
    path = lake.folder / "broken.yaml"
    path.write_text("subscriptions: [\n")

    for command in (["map", "--mapping", str(path), str(ORDER)], ["serve", "--mapping", str(path)]):
        ran = lake.run(*command)
        assert (ran.returncode, ran.stdout) == (2, b"")
        assert b"broken.yaml, line 2: is not YAML" in ran.stderr


def test_sample_prints_the_same_events_for_the_same_options(lake: Lake) -> None:
    options = ["sample", "--events", "50", "--days", "2", "--seed", "4"]
    said = lake.ok(*options)

    assert said == lake.ok(*options)
    assert said != lake.ok(*options[:-1], "5")
    assert len([json.loads(line)["messageId"] for line in said.splitlines()]) == 50


FAULTY_SETTINGS = {
    "misspelt key": ({"workerz": 3}, "workerz: "),
    "no number": ({"workers": HIDDEN}, "workers: "),
    "the secret itself": ({"sources": {"web": {"secrets": [HIDDEN]}}}, "sources.web.secrets.0: "),
    "the header itself": (
        {"sources": {"web": {"second_header": {"name": "X-Key", "values": [HIDDEN]}}}},
        "sources.web.second_header.values.0: ",
    ),
    "the privacy key itself": ({"privacy_key": HIDDEN}, "privacy_key: "),
    "upper case": ({"sources": {"Web": {}}}, "sources.Web"),
    "not a mapping": ({"sources": {"web": HIDDEN}}, "sources.web: "),
    "limits that contradict": ({"max_in_flight_bytes": 1_000}, "max_in_flight_bytes"),
    "no settings at all": ([HIDDEN], "connector.yaml: "),
}


@pytest.mark.parametrize("case", FAULTY_SETTINGS)
def test_a_wrong_setting_is_named_and_its_value_is_not(tmp_path: Path, case: str) -> None:
    values, named = FAULTY_SETTINGS[case]
    lake = Lake(tmp_path)
    lake.config.write_text(json.dumps(values))

    ran = lake.run("serve", "--port", "0")

    assert (ran.returncode, ran.stdout) == (2, b"")
    assert named in ran.stderr.decode()
    assert HIDDEN.encode() not in ran.stderr
    assert b"Traceback" not in ran.stderr


@pytest.mark.parametrize(
    ("variables", "content", "named"),
    [
        ({"CONNECTOR_SOURCES": HIDDEN}, b"{}", "CONNECTOR_SOURCES: "),
        ({}, b"\xff\xfe", "connector.yaml: "),
        ({}, b"data: [" + HIDDEN.encode(), "connector.yaml, line 1: "),
        ({}, b"data: /proc/nowhere/data", "/proc/nowhere"),
    ],
    ids=["variable", "encoding", "YAML", "folder"],
)
def test_settings_that_cannot_be_read_or_used_are_told_in_a_line(
    tmp_path: Path, variables: dict[str, str], content: bytes, named: str
) -> None:
    lake = Lake(tmp_path, environment=variables)
    lake.config.write_bytes(content)

    ran = lake.run("serve", "--port", "0")

    assert ran.returncode in (1, 2)
    assert named in ran.stderr.decode()
    assert HIDDEN.encode() not in ran.stderr
    assert len(ran.stderr.splitlines()) == 1


def test_several_wrong_settings_are_told_together(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    lake.config.write_text("workers: 0\nthreads: none\nport: 99999\n")

    told = lake.run("serve").stderr.decode()

    assert all(f"{key}: " in told for key in ("workers", "threads", "port"))


@pytest.mark.parametrize("name", [None, *sorted(main.commands)])
def test_help_teaches_every_command_and_every_option(name: str | None) -> None:
    command = main if name is None else main.commands[name]
    shown = CliRunner().invoke(main, ["--help"] if name is None else [name, "--help"])

    assert shown.exit_code == 0
    text = re.sub(r"\s+", " ", shown.output)
    assert command.help is not None
    assert command.help.split("\n")[0] in text
    options = [each for each in command.params if isinstance(each, click.Option)]
    assert all(option.opts[0] in text and option.help for option in options if option.name != "help")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_a_script_for_the_shell(shell: str) -> None:
    shown = CliRunner().invoke(main, ["completion", shell])

    assert (shown.exit_code, "_CONNECTOR_COMPLETE" in shown.output) == (0, True)
