"""Names of sources for files that do not say who sent their events."""

from __future__ import annotations

import logging
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.config import Settings, load_settings
from connector.journal.places import FilePlace
from connector.rounds.sources import SourceNames, slug

IN_ARCHIVE = FilePlace(Path("a.gz"), source_id="aLdErWeb01")
ELSEWHERE = FilePlace(Path("a.gz"))


@pytest.fixture
def configured() -> Settings:
    return load_settings(sources={"web": {"source_ids": ["aLdErWeb01"]}})


@pytest.mark.parametrize("given", [None, "backfill"])
def test_a_configured_id_names_the_source_whatever_the_option_says(configured: Settings, given: str | None):
    assert SourceNames(configured, given).of(IN_ARCHIVE) == "web"


def test_an_unknown_id_takes_the_name_that_was_given(caplog: pytest.LogCaptureFixture):
    assert SourceNames(load_settings(), "backfill").of(IN_ARCHIVE) == "backfill"
    assert not caplog.records


def test_an_unknown_id_names_itself_and_is_warned_of_once(caplog: pytest.LogCaptureFixture):
    names = SourceNames(load_settings(), None)

    with caplog.at_level(logging.WARNING):
        said = [names.of(IN_ARCHIVE) for _ in range(3)]

    assert said == ["alderweb01"] * 3
    (warning,) = [record.getMessage() for record in caplog.records]
    assert "sources.<name>.source_ids: [aLdErWeb01]" in warning


def test_what_lies_in_no_archive_is_called_file_or_as_was_given(configured: Settings):
    assert SourceNames(configured, None).of(ELSEWHERE) == "file"
    assert SourceNames(configured, "backfill").of(ELSEWHERE) == "backfill"


@given(st.text(max_size=100))
def test_every_id_makes_a_name_that_a_source_may_have(source_id: str):
    assert re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,63}", slug(source_id))


def test_a_name_keeps_what_can_be_read():
    assert slug("Web Shop (EU)") == "web-shop-eu-"
    assert slug("__") == "file"
