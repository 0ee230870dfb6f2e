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
    assert "ecommerce.yaml: compiles" in lake.ok("check", str(ROOT / "mappings"))


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


def test_a_mapping_that_cannot_be_used_stops_every_command_that_needs_it(lake: Lake) -> None:
    path = lake.folder / "broken.yaml"
    path.write_text("subscriptions: [\n")

    for command in (["map", "--mapping", str(path), str(ORDER)], ["serve", "--mapping", str(path)]):
        ran = lake.run(*command)
        assert (ran.returncode, ran.stdout) == (2, b"")
        assert b"broken.yaml, line 2: is neither YAML nor JSON" in ran.stderr


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
