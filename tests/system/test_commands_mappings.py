"""``connector mappings``: from Segment's answer to a file that runs here, and back to the same JSON."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from connector.cli import main
from connector.cli_mappings import mappings
from connector.commands import check
from connector.config import load_settings

HIDDEN = "hunter2-the-secret"
EVENT = {"event": {"@path": "$.event"}, "event_properties": {"@path": "$.properties"}}
SUBSCRIPTIONS: dict[str, Any] = {
    "data": {
        "subscriptions": [
            {"id": "s1", "name": "Track Calls", "actionId": "a1", "actionSlug": "trackEvent",
             "destinationId": "d1", "modelId": "", "enabled": True,
             "trigger": 'type = "track" and event != "Order Completed"', "settings": EVENT},
            {"id": "s2", "name": "Orders", "actionId": "a2", "actionSlug": "trackPurchase",
             "destinationId": "d1", "enabled": True, "trigger": "type = 'track'", "settings": EVENT},
            {"id": "s3", "name": "Pages", "actionId": "a1", "actionSlug": "trackEvent",
             "destinationId": "d1", "enabled": False, "trigger": 'type = "page"', "settings": EVENT},
        ],
        "pagination": {"current": "MA==", "totalEntries": 3},
    }
}  # fmt: skip
DESTINATION: dict[str, Any] = {
    "data": {
        "destination": {
            "id": "d1",
            "enabled": True,
            "sourceId": "w1",
            "metadata": {"id": "m1", "slug": "actions-mixpanel", "name": "Mixpanel (Actions)"},
            "settings": {"projectToken": "5d09", "apiSecret": HIDDEN, "apiRegion": "EU 🇪🇺"},
        }
    }
}
BOTH = {"data": {**SUBSCRIPTIONS["data"], **DESTINATION["data"]}}
VARIABLE = "ACTIONS_MIXPANEL_API_SECRET"


def run(*arguments: str | Path, stdin: str = "", **variables: str) -> Result:
    group = type(main)(commands={"mappings": mappings})
    return CliRunner().invoke(group, ["mappings", *map(str, arguments)], input=stdin, env=variables)


@pytest.fixture
def answers(tmp_path: Path) -> list[Path]:
    paths = [tmp_path / "subscriptions.json", tmp_path / "destination.json"]
    for path, answer in zip(paths, (SUBSCRIPTIONS, DESTINATION), strict=True):
        path.write_text(json.dumps(answer))
    return paths


def test_what_is_imported_is_exported_as_it_was(tmp_path: Path, answers: list[Path]) -> None:
    mapping, back = tmp_path / "mixpanel.yaml", tmp_path / "back.json"

    assert run("import", *answers, "-o", mapping).exit_code == 0
    assert run("export", mapping, "-o", back, **{VARIABLE: HIDDEN}).exit_code == 0

    assert json.loads(back.read_text(encoding="utf-8")) == BOTH
    assert stat.S_IMODE(back.stat().st_mode) == 0o600, "it holds secrets"


def test_a_mapping_goes_through_standard_input_and_output(tmp_path: Path) -> None:
    imported = run("import", "-", stdin=json.dumps(SUBSCRIPTIONS))
    path = tmp_path / "mapping.yaml"
    path.write_text(imported.stdout, encoding="utf-8")

    assert json.loads(run("export", path).stdout) == SUBSCRIPTIONS


def test_json_is_written_where_json_is_asked_for(tmp_path: Path, answers: list[Path]) -> None:
    path = tmp_path / "mapping.json"

    assert run("import", *answers, "-o", path).exit_code == 0

    assert json.loads(path.read_text(encoding="utf-8"))["settings"]["projectToken"] == "5d09"


def test_the_file_reads_like_one_written_by_hand(tmp_path: Path, answers: list[Path]) -> None:
    said = run("import", *answers).stdout

    assert said.startswith("# Imported from Segment")
    assert list(yaml.safe_load(said)) == ["settings", "subscriptions", "x-segment"]
    assert "event: {'@path': $.event}" in said
    assert 'subscribe: type = "track" and event != "Order Completed"' in said
    assert "EU 🇪🇺" in said


def test_no_secret_lands_in_a_file_or_on_the_screen(tmp_path: Path, answers: list[Path]) -> None:
    ran = run("import", *answers)

    assert f"apiSecret: env:{VARIABLE}" in ran.stdout
    assert f"set {VARIABLE} before an export" in ran.stderr
    assert HIDDEN not in ran.output


def test_an_export_without_its_secrets_writes_nothing_and_says_what_to_set(
    tmp_path: Path, answers: list[Path]
) -> None:
    mapping, back = tmp_path / "mixpanel.yaml", tmp_path / "back.json"
    run("import", *answers, "-o", mapping)

    ran = run("export", mapping, "-o", back)

    assert (ran.exit_code, back.exists()) == (1, False)
    assert f"{VARIABLE} is not set" in ran.stderr


def test_an_import_tells_what_a_person_should_know(answers: list[Path]) -> None:
    told = run("import", *answers).stderr

    assert "! Pages: is disabled in Segment, and stays so" in told
    assert "! mapping: /subscriptions/1/subscribe, column 8: Single quotes are part of the value" in told


def test_what_was_imported_compiles_and_its_traps_are_told_again(
    tmp_path: Path, answers: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    mapping = tmp_path / "mixpanel.yaml"
    run("import", *answers, "-o", mapping)

    code = check.run(load_settings(), [str(mapping)])

    assert "[single-quotes]" in capsys.readouterr().err
    assert code == 0


def test_a_file_that_is_there_is_not_written_over_unless_it_must_be(
    tmp_path: Path, answers: list[Path]
) -> None:
    mapping = tmp_path / "mine.yaml"
    mapping.write_text("mine")

    refused = run("import", *answers, "-o", mapping)

    assert (refused.exit_code, mapping.read_text()) == (2, "mine")
    assert "--force" in refused.stderr
    assert run("import", *answers, "-o", mapping, "--force").exit_code == 0
    assert mapping.read_text() != "mine"


@pytest.mark.parametrize(
    ("content", "code", "told"),
    [
        ("{", 2, "line 1: is no JSON"),
        ('{"data": NaN}', 2, "is no JSON"),
        ('{"errors": []}', 1, "is no answer of Segment's Public API"),
        ('{"data": {"subscription": {"name": 5}}}', 1, "/data/subscriptions/0/trigger should be a text"),
    ],
)
def test_what_is_no_answer_is_told_in_lines(tmp_path: Path, content: str, code: int, told: str) -> None:
    path = tmp_path / "answer.json"
    path.write_text(content)

    ran = run("import", path)

    assert (ran.exit_code, ran.stdout) == (code, "")
    assert told in ran.stderr


def test_a_file_that_is_missing_or_no_mapping_is_told(tmp_path: Path) -> None:
    path = tmp_path / "list.yaml"
    path.write_text("[1]")

    assert run("import", tmp_path / "gone.json").exit_code == 2
    assert run("export", tmp_path / "gone.yaml").exit_code == 2
    assert run("export", path).exit_code == 1
    assert run("import").exit_code == 2


@pytest.mark.parametrize("name", ["import", "export"])
def test_help_teaches_both_ways(name: str) -> None:
    shown = run(name, "--help").stdout

    assert f"connector mappings {name}" in shown
    assert "Public API" in shown
