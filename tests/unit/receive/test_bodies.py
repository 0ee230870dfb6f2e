"""A body is whole or it is not taken; and it never costs more than the limits say."""

from __future__ import annotations

import gzip
import io
import mmap
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from receive_fakes import EVENT

from connector.errors import BodyIncomplete, BodyTooLarge, CannotKeep, ConfigError
from connector.receive.bodies import DRAIN_BYTES, BodyReader, Limits, drain
from connector.receive.codings import PIECE_BYTES, inflate

SMALL = Limits(max_body_bytes=1000, spool_bytes=100, max_in_flight_bytes=2500)


class Stream:
    """A server's input that hands out a few bytes at a time and counts them."""

    def __init__(self, data: bytes, at_once: int = 7, breaks: bool = False) -> None:
        self._data = io.BytesIO(data)
        self._at_once = at_once
        self._breaks = breaks
        self.read_bytes = 0

    def read(self, size: int, /) -> bytes:
        piece = self._data.read(min(size, self._at_once))
        if not piece and self._breaks:
            raise ConnectionResetError
        self.read_bytes += len(piece)
        return piece


def sized(stream: Stream, length: object, **headers: str) -> dict[str, Any]:
    return {"CONTENT_LENGTH": str(length), "wsgi.input": stream, "wsgi.input_terminated": True, **headers}


def chunked(stream: Stream, **headers: str) -> dict[str, Any]:
    return {
        "HTTP_TRANSFER_ENCODING": "chunked",
        "wsgi.input": stream,
        "wsgi.input_terminated": True,
        **headers,
    }


def reader(limits: Limits = SMALL) -> BodyReader:
    return BodyReader(limits, lambda change_bytes: None)


def read(environ: Mapping[str, Any], limits: Limits = SMALL) -> tuple[bytes, bytes | None]:
    with reader(limits).reading(environ) as received:
        return bytes(received.body), None if received.encoded is None else bytes(received.encoded)


class TestLength:
    def test_exactly_the_announced_bytes_are_the_body(self) -> None:
        stream = Stream(EVENT + b"next request")

        assert read(sized(stream, len(EVENT))) == (EVENT, None)
        assert len(EVENT) == stream.read_bytes

    def test_a_chunked_body_ends_where_the_server_says(self) -> None:
        assert read(chunked(Stream(EVENT))) == (EVENT, None)

    def test_chunked_wins_over_a_content_length(self) -> None:
        assert read({**chunked(Stream(EVENT)), "CONTENT_LENGTH": "3"}) == (EVENT, None)

    @pytest.mark.parametrize("terminated", [True, False])
    def test_no_length_and_no_body_is_an_empty_body(self, terminated: bool) -> None:
        assert read({"wsgi.input": Stream(b""), "wsgi.input_terminated": terminated}) == (b"", None)

    @pytest.mark.parametrize("breaks", [False, True], ids=["ends early", "breaks"])
    def test_fewer_bytes_than_announced_are_no_body(self, breaks: bool) -> None:
        with pytest.raises(BodyIncomplete):
            read(sized(Stream(EVENT, breaks=breaks), len(EVENT) + 1))

    def test_a_chunked_body_that_breaks_is_no_body(self) -> None:
        with pytest.raises(BodyIncomplete):
            read(chunked(Stream(EVENT, breaks=True)))

    @pytest.mark.parametrize("length", ["-1", "1e3", "ten", "１０", "9" * 5000])
    def test_a_length_that_cannot_be_read_is_no_length(self, length: str) -> None:
        with pytest.raises(BodyIncomplete):
            read(sized(Stream(EVENT), length))

    def test_a_server_that_leaves_chunks_undecoded_is_our_fault(self) -> None:
        with pytest.raises(CannotKeep) as trouble:
            read({**chunked(Stream(b"3\r\nabc\r\n")), "wsgi.input_terminated": False})

        assert trouble.value.code == "length_unknown"


class TestSize:
    def test_the_limit_itself_is_accepted(self) -> None:
        assert len(read(sized(Stream(b"x" * 1000), 1000))[0]) == 1000
        assert len(read(chunked(Stream(b"x" * 1000)))[0]) == 1000

    @pytest.mark.parametrize(
        ("length", "read_bytes"), [(1001, 1001), (DRAIN_BYTES, DRAIN_BYTES), (3 * DRAIN_BYTES, DRAIN_BYTES)]
    )
    def test_a_body_announced_too_large_is_thrown_away_as_far_as_its_sender_needs_it(
        self, length: int, read_bytes: int
    ) -> None:
        stream = Stream(b"x" * length, at_once=4096)

        with pytest.raises(BodyTooLarge):
            read(sized(stream, length))
        assert stream.read_bytes == read_bytes

    @pytest.mark.parametrize("breaks", [False, True])
    def test_a_body_announced_too_large_is_too_large_however_little_of_it_comes(self, breaks: bool) -> None:
        with pytest.raises(BodyTooLarge):
            read(sized(Stream(EVENT, breaks=breaks), 5000))

    def test_a_chunked_body_is_refused_as_soon_as_it_is_too_large(self) -> None:
        stream = Stream(b"x" * 100_000)

        with pytest.raises(BodyTooLarge):
            read(chunked(stream))
        assert stream.read_bytes < 1100


class TestSpool:
    @pytest.mark.parametrize(("length", "kind"), [(100, bytes), (101, mmap.mmap)])
    def test_only_a_large_body_is_put_aside(self, length: int, kind: type, tmp_path: Path) -> None:
        limits = Limits(max_body_bytes=1000, spool_bytes=100, max_in_flight_bytes=2500, spool_folder=tmp_path)
        sent = bytes(range(length))

        with reader(limits).reading(sized(Stream(sent), length)) as received:
            assert kind is type(received.body)
            assert sent == received.body[:]
            assert list(tmp_path.iterdir()) == []

    def test_a_spooled_body_cannot_be_written_and_is_gone_afterwards(self) -> None:
        with reader().reading(sized(Stream(b"x" * 200), 200)) as received:
            body = received.body
            with pytest.raises(TypeError):
                body[0] = 1  # type: ignore[index]

        with pytest.raises(ValueError, match="closed"):
            body[0]

    def test_a_folder_that_cannot_be_written_is_our_fault(self, tmp_path: Path) -> None:
        limits = Limits(
            max_body_bytes=1000, spool_bytes=100, max_in_flight_bytes=2500, spool_folder=tmp_path / "absent"
        )

        with pytest.raises(CannotKeep) as trouble:
            read(sized(Stream(b"x" * 200), 200), limits)
        assert trouble.value.code == "spool_failed"


class TestDrain:
    @pytest.mark.parametrize(
        "environ",
        [
            pytest.param(sized(Stream(EVENT), len(EVENT)), id="announced"),
            pytest.param(sized(Stream(EVENT), 999), id="cut short"),
            pytest.param(chunked(Stream(EVENT)), id="chunked"),
            pytest.param(chunked(Stream(EVENT, breaks=True)), id="broken"),
        ],
    )
    def test_all_that_comes_is_read(self, environ: dict[str, Any]) -> None:
        drain(environ)

        assert environ["wsgi.input"].read_bytes == len(EVENT)

    def test_what_has_no_length_that_can_be_read_is_left_alone(self) -> None:
        stream = Stream(EVENT)
        drain(sized(stream, "ten"))
        drain({**chunked(stream), "wsgi.input_terminated": False})

        assert stream.read_bytes == 0


class TestInFlight:
    def test_what_is_announced_and_does_not_come_takes_nothing(self) -> None:
        """While one sender is still to send what it announced, four others send as much, one by one."""
        bodies = reader()

        class Silent(Stream):
            def read(self, size: int, /) -> bytes:
                for _ in range(4):
                    with bodies.reading(sized(Stream(b"x" * 1000), 1000)) as received:
                        taken.append(len(received.body))
                return b""

        taken: list[int] = []
        with (
            bodies.reading(sized(Stream(b"x" * 1000), 1000)),
            pytest.raises(BodyIncomplete),
            bodies.reading(sized(Silent(b""), 1000)),
        ):
            pass

        assert taken == [1000] * 4

    def test_what_has_come_counts_before_the_rest_is_there(self) -> None:
        seen: list[int] = []

        class Slow(Stream):
            def read(self, size: int, /) -> bytes:
                seen.append(sum(changes))
                return super().read(size)

        changes: list[int] = []
        with BodyReader(SMALL, changes.append).reading(sized(Slow(b"x" * 30, at_once=10), 30)):
            pass

        assert seen == [0, 10, 20]

    def test_beyond_the_limit_a_body_is_turned_away_without_reading(self) -> None:
        bodies = reader()
        late = Stream(b"x" * 600)

        with (
            bodies.reading(sized(Stream(b"x" * 1000), 1000)),
            bodies.reading(sized(Stream(b"x" * 1000), 1000)),
            pytest.raises(CannotKeep) as trouble,
            bodies.reading(sized(late, 600)),
        ):
            pass

        assert (trouble.value.code, late.read_bytes) == ("over_capacity", 0)

    def test_a_chunked_body_is_turned_away_when_the_limit_is_reached(self) -> None:
        bodies = reader()

        with (
            bodies.reading(sized(Stream(b"x" * 1000), 1000)),
            bodies.reading(chunked(Stream(b"x" * 1000))),
            pytest.raises(CannotKeep),
            bodies.reading(chunked(Stream(b"x" * 600))),
        ):
            pass

    @pytest.mark.parametrize(
        "environ",
        [
            pytest.param(sized(Stream(EVENT), len(EVENT)), id="taken"),
            pytest.param(chunked(Stream(EVENT)), id="chunked"),
            pytest.param(sized(Stream(EVENT), 999), id="incomplete"),
            pytest.param(chunked(Stream(b"x" * 2000)), id="too large"),
            pytest.param(chunked(Stream(gzip.compress(b"x" * 900)), HTTP_CONTENT_ENCODING="gzip"), id="gzip"),
            pytest.param(
                chunked(Stream(gzip.compress(b"x" * 9000)), HTTP_CONTENT_ENCODING="gzip"), id="bomb"
            ),
        ],
    )
    def test_all_is_given_back_whatever_happens(self, environ: dict[str, Any]) -> None:
        changes: list[int] = []
        bodies = BodyReader(SMALL, changes.append)

        try:
            with bodies.reading(environ):
                pass
        except (BodyIncomplete, BodyTooLarge):
            pass

        assert max(changes) > 0
        assert sum(changes) == 0
        with (
            bodies.reading(sized(Stream(b"x" * 1000), 1000)),
            bodies.reading(sized(Stream(b"x" * 1000), 1000)),
        ):
            pass

    def test_a_limit_below_the_largest_body_is_a_fault_of_the_configuration(self) -> None:
        with pytest.raises(ConfigError):
            Limits(max_body_bytes=1000, max_in_flight_bytes=999)


def bare_deflate(data: bytes) -> bytes:
    deflater = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return deflater.compress(data) + deflater.flush()


class TestContentEncoding:
    @pytest.mark.parametrize(
        ("coding", "sent"),
        [
            pytest.param("gzip", gzip.compress(EVENT), id="gzip"),
            pytest.param(" GZip", gzip.compress(EVENT), id="in any case"),
            pytest.param("x-gzip", gzip.compress(EVENT), id="its old name"),
            pytest.param("deflate", zlib.compress(EVENT), id="deflate"),
            pytest.param("deflate", bare_deflate(EVENT), id="bare deflate"),
        ],
    )
    def test_it_is_undone_and_both_forms_are_handed_on(self, coding: str, sent: bytes) -> None:
        assert (EVENT, sent) == read(sized(Stream(sent), len(sent), HTTP_CONTENT_ENCODING=coding))
        assert (EVENT, sent) == read(chunked(Stream(sent), HTTP_CONTENT_ENCODING=coding))

    @pytest.mark.parametrize(
        ("coding", "sent"),
        [
            pytest.param("gzip", gzip.compress(EVENT)[:-1], id="cut short"),
            pytest.param("gzip", gzip.compress(EVENT)[:-6] + b"\0" * 6, id="wrong checksum"),
            pytest.param("gzip", gzip.compress(EVENT) + b"x", id="something behind it"),
            pytest.param("gzip", gzip.compress(EVENT) * 2, id="a second member"),
            pytest.param("gzip", EVENT, id="not compressed at all"),
            pytest.param("gzip", b"", id="empty"),
            pytest.param("deflate", zlib.compress(EVENT)[:-5], id="deflate cut short"),
            pytest.param("br", b"\x0b\x02\x80", id="a coding that is not known"),
            pytest.param("gzip, gzip", gzip.compress(gzip.compress(EVENT)), id="two codings"),
            pytest.param("identity", EVENT, id="none"),
        ],
    )
    def test_what_cannot_be_undone_is_handed_on_as_it_came(self, coding: str, sent: bytes) -> None:
        assert (sent, None) == read(sized(Stream(sent), len(sent), HTTP_CONTENT_ENCODING=coding))

    def test_nothing_is_left_behind_in_the_decoder(self) -> None:
        for length in range(PIECE_BYTES - 2, PIECE_BYTES + 300):
            sent = bare_deflate(b"x" * length)

            assert sum(map(len, inflate(sent, "deflate"))) == length

    def test_a_large_decoded_body_is_put_aside(self) -> None:
        sent = gzip.compress(b"x" * 900)

        with reader().reading(sized(Stream(sent), len(sent), HTTP_CONTENT_ENCODING="gzip")) as received:
            assert isinstance(received.body, mmap.mmap)
            assert sent == received.encoded

    def test_a_bomb_is_refused_at_the_limit(self) -> None:
        limits = Limits(max_body_bytes=1_000_000, max_in_flight_bytes=3_000_000)
        sent = gzip.compress(b"\0" * 50_000_000)
        changes: list[int] = []

        with (
            pytest.raises(BodyTooLarge),
            BodyReader(limits, changes.append).reading(
                sized(Stream(sent, at_once=len(sent)), len(sent), HTTP_CONTENT_ENCODING="gzip")
            ),
        ):
            pass

        assert sum(change for change in changes if change > 0) <= len(sent) + 1_000_000


CODERS: Mapping[str, Callable[[bytes], bytes]] = {"gzip": gzip.compress, "deflate": zlib.compress, "": bytes}


@settings(deadline=None, max_examples=60)
@given(
    body=st.binary(max_size=700),
    repeat=st.integers(1, 2000),
    at_once=st.integers(1000, 400_000),
    coding=st.sampled_from(sorted(CODERS)),
)
def test_any_body_arrives_as_it_was_sent_however_it_is_cut(
    body: bytes, repeat: int, at_once: int, coding: str
) -> None:
    whole = body * repeat
    sent = CODERS[coding](whole)
    limits = Limits(max_body_bytes=2_000_000, spool_bytes=300_000, max_in_flight_bytes=5_000_000)

    assert whole == read(sized(Stream(sent, at_once), len(sent), HTTP_CONTENT_ENCODING=coding), limits)[0]
    assert whole == read(chunked(Stream(sent, at_once), HTTP_CONTENT_ENCODING=coding), limits)[0]
