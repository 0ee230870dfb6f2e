"""Invocations of the writer Lambda that die, are refused or overtaken; news that come twice, late or never.

Crash points are those of journal-protocol 7. The store is a SeaweedFS server; a process that dies gets no
call through from then on, its message is delivered again to a new one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from aws_journal import (
    RECEIVED_MS,
    Context,
    Deployment,
    capture,
    deployed,
    failed,
    figures,
    frame,
    joined,
    news,
)
from faults.store_journal import dies, forbids, times_out
from object_stores import Killed, Mortal, Watched
from s3_servers import S3Server

from connector.aws.writer import ObjectWriter
from connector.journal.frames import receipt_frame
from connector.s3.objects import S3Object
from connector.wiring import storage
from connector.write.sweep import sweep

CALLS = ["read", "read", "put", "upload", "upload", "create", "delete"]
"""Of one object: recorded? still not, when it is mapped? intent, a table and a file of rejected events,
record, intent off."""
POINTS = [(when, number) for number in range(1, len(CALLS) + 1) for when in ("before", "after")]
DONE = [("after", 6), ("before", 7), ("after", 7)]
"""The record is there, the message is not deleted yet."""


def _crash_point(point: tuple[str, int]) -> str:
    when, number = point
    what = "C23" if number < 3 or point == ("before", 3) else "C24" if number < 6 else "C25"
    return f"{'C26' if point in DONE else what} {when} {CALLS[number - 1]} {number}"


every_point = pytest.mark.parametrize("point", POINTS, ids=_crash_point)


class Functions:
    """Processes of the writer over one deployment, each with a store of its own."""

    def __init__(self, shop: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
        self.shop, self._monkeypatch = shop, monkeypatch
        odd = receipt_frame(capture("", body=b'{"type":"nonsense","messageId":"m-n"}'), "0" * 32)
        self.content = joined(frame("m-1"), odd, frame("m-2"))

    def start(self, store: Watched | None = None) -> ObjectWriter:
        """A new process, whose calls are counted once it is ready."""
        store = store or self.store()
        with self._monkeypatch.context() as wired:
            wired.setattr(storage, "object_store", lambda _: store)
            write = self.shop.writer()
        store.calls.clear()
        return write

    def store(self, kind: type[Watched] = Watched) -> Watched:
        return kind(self.shop.data.store)

    def at(
        self, point: tuple[str, int], hook: Callable[[], None], kind: type[Watched] = Watched
    ) -> ObjectWriter:
        """A process to which something happens at a point of its first object."""
        store = self.store(kind)
        write = self.start(store)
        store.at(point[0], point[1], hook)
        return write

    def exactly_once(self) -> None:
        """What dead attempts left is swept; then nothing is there that is not in the ledger."""
        sweep(self.shop.data.store, 0, 0, clock_seconds=lambda: 0.0)
        assert self.shop.tidy_fates() == {"stored": 2, "rejected": 1}


@pytest.fixture
def functions(seaweed: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Functions]:
    with deployed(seaweed, tmp_path, monkeypatch) as shop:
        yield Functions(shop, monkeypatch)


@pytest.fixture
def made(functions: Functions) -> S3Object:
    return functions.shop.put("firehose/a.gz", functions.content)


def test_an_invocation_makes_these_calls(functions: Functions, made: S3Object):
    store = functions.store()
    write = functions.start(store)

    assert failed(write(news(made), Context())) == []

    assert store.calls == CALLS
    functions.exactly_once()
    assert functions.shop.message_ids() == ["m-1", "m-2"]


@every_point
def test_a_process_that_dies_leaves_each_event_exactly_once(
    functions: Functions, made: S3Object, point: tuple[str, int]
):
    with pytest.raises(Killed):
        functions.at(point, dies, Mortal)(news(made), Context())

    store = functions.store()
    assert failed(functions.start(store)(news(made), Context())) == []

    if point in DONE:
        assert store.calls == ["read"], "what is recorded is asked for and let go"
    functions.exactly_once()


@every_point
@pytest.mark.parametrize("fails", [times_out, forbids], ids=["C30 time-out or 5xx", "C30 403"])
def test_a_store_that_refuses_once_gets_the_message_again(
    functions: Functions, made: S3Object, point: tuple[str, int], fails: Callable[[], None]
):
    """``after``: it was done although the answer says otherwise."""
    write = functions.at(point, fails)
    known_to_be_done = point[1] == 7 or (point == ("after", 6) and fails is times_out)

    assert failed(write(news(made), Context())) == ([] if known_to_be_done else ["m-0"])
    assert failed(write(news(made), Context())) == []

    functions.exactly_once()


@every_point
def test_c27_of_two_invocations_with_one_object_one_writes_it(
    functions: Functions, made: S3Object, point: tuple[str, int], capsys: pytest.CaptureFixture[str]
):
    """Another process has the same message, and does all of it between any two calls of the first."""
    other = functions.start()
    answers = []

    def overtakes() -> None:
        answers.append(failed(other(news(made), Context())))

    write = functions.at(point, overtakes)
    capsys.readouterr()
    answers.append(failed(write(news(made), Context())))

    assert answers == [[], []]
    assert figures(capsys.readouterr().out)["EventsStored"] == 2, "counted by the one that wrote it"
    functions.exactly_once()


def test_c31_news_may_come_twice_and_in_any_order(functions: Functions):
    shop = functions.shop
    objects = [shop.put(f"{name}.gz", joined(frame(f"m-{name}"))) for name in "abc"]
    write = functions.start()

    for batch in (reversed(objects), objects[1:], [objects[0], objects[0]]):
        assert failed(write(news(*batch), Context())) == []

    assert shop.message_ids() == ["m-a", "m-b", "m-c"]
    assert shop.tidy_fates() == {"stored": 3}


def test_c31_an_object_replaced_between_its_news_and_the_read_is_left_to_the_newer_news(
    functions: Functions, made: S3Object, capsys: pytest.CaptureFixture[str]
):
    newer: list[S3Object] = []
    write = functions.at(
        ("after", 1), lambda: newer.append(functions.shop.put("firehose/a.gz", joined(frame("m-9"))))
    )
    capsys.readouterr()

    assert failed(write(news(made), Context())) == []
    assert figures(capsys.readouterr().out) == {"StaleNotifications": 1}
    assert failed(write(news(*newer), Context())) == []

    assert functions.shop.message_ids() == ["m-9"]
    assert functions.shop.tidy_fates() == {"stored": 1}


def test_c31_an_object_that_goes_between_its_news_and_the_read_is_no_success(
    functions: Functions, made: S3Object
):
    write = functions.at(("after", 1), lambda: functions.shop.remove(made))

    assert failed(write(news(made), Context())) == ["m-0"]


def test_c28_a_message_that_comes_a_day_later_changes_nothing(functions: Functions, made: S3Object):
    functions.start()(news(made), Context())
    functions.shop.remove(made)
    later = news(made._replace(modified_ms=RECEIVED_MS + 86_400_000))

    assert failed(functions.start()(later, Context())) == []

    functions.exactly_once()
