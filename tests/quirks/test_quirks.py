"""Sixty-five ways in which real payloads leave the ecommerce spec, and what becomes of each.

One file per way, ``NN_short_name.cases.yaml``, run through the shipped mapping. What no single event can show
stands in docs/decisions/0010-quirks-left-to-the-reader.md.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

from connector.cases import Case, differences, read_cases
from connector.config import load_settings
from connector.jsontext import canonical, decode
from connector.wiring import Configured, configure, read_document

HERE = Path(__file__).parent
FILES = sorted(HERE.glob("*.cases.yaml"))
RECORD = Path(__file__).parents[2] / "docs" / "decisions" / "0010-quirks-left-to-the-reader.md"
QUIRKS = range(1, 66)


def number_of(path: Path) -> int:
    found = re.match(r"(\d\d)_[a-z0-9_]+\.cases\.yaml\Z", path.name)
    assert found is not None, f"{path.name}: should be NN_short_name.cases.yaml"
    return int(found[1])


def cases_in(path: Path) -> list[Case]:
    return read_cases(read_document(path), path.name)


@cache
def _configured(configuration: bytes) -> Configured:
    return configure(load_settings(**decode(configuration).value), preview=True)


def faults_of(case: Case) -> list[str]:
    """What differs when the case runs under its own settings."""
    configured = _configured(canonical(case.configuration))
    return list(differences(case, configured.pipeline, {table.name: table for table in configured.tables}))


@pytest.mark.parametrize(
    "case",
    [pytest.param(case, id=f"{path.stem}: {case.name}") for path in FILES for case in cases_in(path)],
)
def test_each_case_holds(case: Case) -> None:
    assert faults_of(case) == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_each_case_names_its_quirk_and_is_told_apart(path: Path) -> None:
    names = [case.name for case in cases_in(path)]

    assert len(set(names)) == len(names) > 0
    assert all(name.startswith(f"quirk {number_of(path)}: ") for name in names)


def test_every_quirk_has_a_case_or_a_reason_for_having_none() -> None:
    with_cases = {number_of(path) for path in FILES}
    rows = re.findall(r"^\| (\d+) \|", RECORD.read_text(encoding="utf-8"), re.MULTILINE)

    assert with_cases | set(map(int, rows)) == set(QUIRKS)
    assert len(with_cases) == len(FILES), "one file per quirk"
