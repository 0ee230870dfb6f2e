"""Sources by name and by write key, and nothing of a key in sight."""

from __future__ import annotations

import pytest

from connector.errors import ConfigError
from connector.events import SourceKeys
from connector.receive.sources import Sources

WEB = SourceKeys("web", write_keys=(b"web-key", b"web-key-before"))
APP = SourceKeys("app", write_keys=(b"app-key",), missing_write_keys=("env:APP_KEY_2",))


def test_a_source_is_found_by_its_name_and_by_each_of_its_keys() -> None:
    sources = Sources((WEB, APP))

    assert (sources.named("web"), sources.named("app"), sources.named("till")) == (WEB, APP, None)
    assert [sources.with_write_key(key) for key in (b"web-key", b"web-key-before", b"app-key")] == [
        WEB,
        WEB,
        APP,
    ]


@pytest.mark.parametrize("key", [b"", b"web-ke", b"web-key ", b"WEB-KEY"])
def test_nothing_but_the_very_key_finds_a_source(key: bytes) -> None:
    assert Sources((WEB,)).with_write_key(key) is None


def test_write_keys_that_are_not_set_are_known_by_their_reference() -> None:
    assert Sources((WEB, APP)).missing_write_keys == ("env:APP_KEY_2",)


def test_two_sources_with_one_key_are_a_mistake_that_is_told_without_the_key() -> None:
    with pytest.raises(ConfigError, match="web and till") as fault:
        Sources((WEB, SourceKeys("till", write_keys=(b"web-key",))))

    assert "web-key" not in str(fault.value)


def test_without_a_configuration_any_name_is_a_source_and_any_key_is_of_the_sdk() -> None:
    sources = Sources.development()

    assert sources.named("anything") == SourceKeys("anything", unsigned=True)
    assert [found.name for key in (b"a", b"b") if (found := sources.with_write_key(key))] == ["sdk", "sdk"]


def test_its_text_holds_no_key() -> None:
    keys = SourceKeys("web", (b"hush",), "x", (b"hush",), (b"hush",), write_keys=(b"hush",))

    assert "hush" not in repr(keys) + repr(Sources((keys,))) + repr(vars(Sources((keys,))))
