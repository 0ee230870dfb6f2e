"""A write key names a source and proves nothing; what it brings is kept or refused like all else."""

from __future__ import annotations

from dataclasses import replace

import pytest
from receive_fakes import EVENT, raw_request

from connector.errors import CannotKeep, UnknownWriteKey
from connector.events import Capture, SourceKeys
from connector.receive.admit import Unreadable
from connector.receive.admit_public import admit_public, source_of
from connector.receive.sources import Sources

WEB = SourceKeys("web", write_keys=(b"web-key",))
APP = SourceKeys("app", write_keys=(b"app-key",))
BOTH = Sources((WEB, APP))


class TestSource:
    @pytest.mark.parametrize(
        ("keys", "source"),
        [
            pytest.param((b"web-key", None), WEB, id="in the header"),
            pytest.param((None, b"web-key"), WEB, id="in the body"),
            pytest.param((b"web-key", b"app-key"), WEB, id="the header counts before the body"),
            pytest.param(
                (b"unknown", b"app-key"), APP, id="an unknown one in the header, a known one inside"
            ),
            pytest.param((b"", b"app-key"), APP, id="an empty one in the header"),
        ],
    )
    def test_the_first_known_key_names_it(self, keys: tuple[bytes | None, ...], source: SourceKeys) -> None:
        assert source_of(BOTH, *keys) is source

    @pytest.mark.parametrize("keys", [(b"x", b"y"), (None, b"y"), (None, None), (b"", b"")])
    def test_without_a_known_key_it_is_401(self, keys: tuple[bytes | None, ...]) -> None:
        with pytest.raises(UnknownWriteKey) as refused:
            source_of(BOTH, *keys)

        assert (refused.value.code, refused.value.status) == ("unknown_write_key", 401)

    def test_a_key_that_may_be_one_that_is_not_set_is_to_come_again(self) -> None:
        sources = Sources((WEB, SourceKeys("app", missing_write_keys=("env:APP_KEY",))))

        with pytest.raises(CannotKeep) as trouble:
            source_of(sources, b"perhaps", None)

        assert (trouble.value.code, trouble.value.status) == ("secret_missing", 503)
        assert source_of(sources, b"web-key") is WEB

    def test_no_key_at_all_is_none_that_could_be_set(self) -> None:
        sources = Sources((SourceKeys("app", missing_write_keys=("env:APP_KEY",)),))

        with pytest.raises(UnknownWriteKey):
            source_of(sources, None, None)


REQUEST = replace(raw_request(EVENT, {"content-type": "text/plain", "x-secret": "hush"}), route="track")


def test_a_capture_is_public_and_unproven() -> None:
    assert admit_public(REQUEST, is_json=True, key_in_header=True) == Capture(
        "web", "track", REQUEST.received_at_ms, EVENT, "none", content_type="text/plain", public=True
    )


@pytest.mark.parametrize("key_in_header", [True, False])
def test_what_is_not_json_is_owed_a_place_when_its_header_was_right(key_in_header: bool) -> None:
    with pytest.raises(Unreadable) as refused:
        admit_public(replace(REQUEST, body=b"{"), is_json=False, key_in_header=key_in_header)

    capture = refused.value.capture
    assert refused.value.keep is key_in_header
    assert (capture.body, capture.refused, capture.public, capture.proven) == (
        b"{",
        "body_not_json",
        True,
        "none",
    )
