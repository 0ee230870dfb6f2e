"""Tables in S3: the receiver answers from its own disk, whatever the store does; every event lands once."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest
from s3_proxy import S3Proxy
from s3_servers import S3Server
from system.processes import wait_until
from system.s3_service import S3Service, running_in_s3, s3_service

from connector.sample import sample_events
from connector.write.object_ledger import Intent, intent_name

pytestmark = pytest.mark.slow

QUICK = {"publish_seconds": 0.2, "roll_seconds": 0.5}
IMPATIENT = {"attempts": 2, "connect_timeout_seconds": 1, "read_timeout_seconds": 2}


def view(message_id: str) -> bytes:
    return (
        b'{"type":"track","event":"Product Viewed","messageId":"%b","userId":"usr_1",'
        b'"timestamp":"2026-03-14T17:10:31.891Z","properties":{"product_id":"prd_2041","price":64.0}}'
    ) % message_id.encode()


def message_ids(service: S3Service) -> list[str]:
    return [value for (value,) in service.query("SELECT message_id FROM events_raw ORDER BY message_id")]


@pytest.fixture
def service(tmp_path: Path, seaweed: S3Server) -> Iterator[S3Service]:
    with running_in_s3(tmp_path, seaweed, settings=QUICK) as started:
        yield started


def test_events_go_from_the_local_journal_into_the_bucket_and_the_audit_proves_it(service: S3Service):
    sent = [view(f"m{number:02}") for number in range(20)]
    assert [service.post(body).status for body in sent] == [200] * 20
    assert service.post(b'{"cart_id":"crt_1"}').status == 200

    service.drain()

    assert message_ids(service) == [f"m{number:02}" for number in range(20)]
    assert service.fates() == {"stored": 20, "rejected": 1}
    assert [record["raw"] for record in service.rejected()] == ['{"cart_id":"crt_1"}']
    wait_until("the journal is retired", lambda: not list(service.journal.glob("closed/*")))
    assert list(service.journal.glob("done/*/*.gz")) != []
    assert {path.name for path in service.folder.iterdir()} == {"connector.yaml", "journal", "serve.log"}


def test_the_commands_read_the_bucket_and_a_source_can_be_picked(service: S3Service):
    service.post(view("signed"))
    service.send(view("unsigned"), path="/webhook/open")
    service.drain()

    rows = service.ok("sql", "SELECT source, message_id FROM events ORDER BY 1")
    picked = service.ok("sql", "--source", "open", "SELECT message_id FROM events")
    status = orjson.loads(service.ok("status", "--json"))
    status_of_web = orjson.loads(service.ok("status", "--json", "--source", "web"))

    assert rows.splitlines() == ["source\tmessage_id", "open\tunsigned", "web\tsigned"]
    assert picked.splitlines() == ["message_id", "unsigned"]
    assert [source for source, *_ in status["sources"]] == ["open", "web"]
    assert [source for source, *_ in status_of_web["sources"]] == ["web"]
    assert status["events"]["stored"] == 2


def test_while_the_store_refuses_events_are_taken_and_they_land_once_it_does_not(
    tmp_path: Path, proxied: tuple[S3Proxy, S3Server]
):
    proxy, server = proxied
    with running_in_s3(tmp_path, server, settings={**QUICK, "s3": IMPATIENT}) as service:
        proxy.answer(503, "SlowDown")
        taken = [service.post(view(f"m{number:02}")).status for number in range(10)]
        wait_until("the log says so", lambda: "the next one tries again" in service.log)
        proxy.drop()
        taken += [service.post(view(f"m{number:02}")).status for number in range(10, 20)]
        ready = service.get("/readyz").status
        proxy.clear()
        service.drain()

        assert (taken, ready) == ([200] * 20, 200)
        assert message_ids(service) == [f"m{number:02}" for number in range(20)]
        assert service.fates() == {"stored": 20}


def test_a_service_starts_and_receives_while_its_store_is_out_of_reach(
    tmp_path: Path, proxied: tuple[S3Proxy, S3Server]
):
    proxy, server = proxied
    proxy.drop()
    with running_in_s3(tmp_path, server, settings={**QUICK, "s3": IMPATIENT}) as service:
        assert service.post(view("m1")).status == 200
        proxy.clear()
        service.drain()

        assert "events are kept in the journal until" in service.log
        assert message_ids(service) == ["m1"]


def test_a_store_that_would_let_two_writers_win_is_refused_at_the_start(
    tmp_path: Path, proxied: tuple[S3Proxy, S3Server]
):
    proxy, server = proxied
    proxy.strip_header("If-None-Match")

    ran = s3_service(tmp_path, server).run("serve", "--port", "0")

    assert ran.returncode == 1
    assert b"ignores If-None-Match" in ran.stderr
    assert b"Traceback" not in ran.stderr


def listings(proxy: S3Proxy, prefix: str) -> int:
    return sum("list-type" in request.path and prefix in request.path for request in proxy.requests)


def test_commands_ask_the_store_for_no_more_than_they_need(tmp_path: Path, proxied: tuple[S3Proxy, S3Server]):
    proxy, server = proxied
    with running_in_s3(tmp_path, server, settings=QUICK) as service:
        for number in range(3):
            service.post(view(f"m{number}"))
            service.post(b'{"cart_id":"crt_1"}')
            service.drain()
        proxy.requests.clear()
        service.post(view("m9"))
        said = service.run("drain").stderr

        assert re.match(rb"wrote [01] captured files", said), "the service's own writer may have been quicker"
        assert listings(proxy, "ledger/files/") == 0, "each file is asked for by its name"

        for command, folds, rejected in (
            (["status"], 1, 3),
            (["sql", "SELECT count(*) FROM events"], 1, 0),
            (["sql", "SELECT count(*) FROM rejected"], 1, 3),
        ):
            proxy.requests.clear()
            service.ok(*command)
            assert listings(proxy, "ledger/files/") == folds, command
            assert proxy.methods("/rejected/").count("GET") == rejected, command


@pytest.mark.parametrize("fault", ["refused", "gone"])
def test_a_store_that_refuses_while_a_question_runs_is_one_line(
    tmp_path: Path, proxied: tuple[S3Proxy, S3Server], fault: str
):
    proxy, server = proxied
    service = s3_service(tmp_path, server)
    path = tmp_path / "events.ndjson"
    path.write_bytes(view("m1") + b"\n")
    service.ok("replay", str(path))
    status, code = (403, "AccessDenied") if fault == "refused" else (404, "NoSuchKey")
    proxy.answer(status, code, needle="/tables/")

    for command in (["status"], ["sql", "SELECT max(price) FROM events"]):
        ran = service.run(*command)
        assert (ran.returncode, len(ran.stderr.splitlines())) == (1, 1), ran.stderr
        assert b"while reading s3://" in ran.stderr


def test_an_endpoint_that_only_the_environment_names_serves_every_command(tmp_path: Path, moto: S3Server):
    service = s3_service(tmp_path, moto)
    environment = dict(service.environment)
    environment["AWS_ENDPOINT_URL_S3"] = environment.pop("CONNECTOR_S3__ENDPOINT")
    environment.pop("AWS_DEFAULT_REGION")
    service.environment = environment
    path = tmp_path / "events.ndjson"
    path.write_bytes(view("m1") + b"\n")

    service.ok("replay", str(path))

    assert service.ok("sql", "SELECT message_id FROM events").splitlines() == ["message_id", "m1"]
    assert "web" not in service.ok("status")
    assert service.audit()["ok"]


def test_an_attempt_that_was_killed_is_no_fault_and_is_named(tmp_path: Path, moto: S3Server):
    service = s3_service(tmp_path, moto)
    path = tmp_path / "events.ndjson"
    path.write_bytes(view("m1") + b"\n")
    service.ok("replay", str(path))
    store = moto.store(service.place)
    left = "tables/events/day=2026-03-14/h-9.p0.aaaaaaaaaa.0123456789abcdef.parquet"
    store.put(intent_name("0123456789abcdef"), Intent("0123456789abcdef", "h-9", (left,)).encoded())
    store.put(left, b"half")

    report = service.audit()

    assert (report["in_flight"], report["leftover_files"]) == (1, 0)


def test_two_machines_write_to_one_prefix(tmp_path: Path, seaweed: S3Server):
    place = seaweed.place()
    events = [orjson.dumps(event) for event in sample_events(events=40, days=2, seed=3)]
    with (
        running_in_s3(tmp_path / "one", seaweed, place=place, settings=QUICK) as one,
        running_in_s3(tmp_path / "two", seaweed, place=place, settings=QUICK) as two,
    ):
        for number, event in enumerate(events):
            assert (one, two)[number % 2].post(event).status == 200
        assert one.post(events[1]).status == 200, "one that the other machine has too"
        one.drain()
        two.drain()

        assert one.fates() == two.fates() == {"stored": 41}
        in_tables = " UNION ALL ".join(
            f"SELECT message_id FROM {table}"
            for table in ("events WHERE line_index IS NULL", "profiles", "groups")
        )
        (counted,) = one.query(f"SELECT count(*), count(DISTINCT message_id) FROM ({in_tables})")
        assert counted == (40, 40)


def test_a_write_key_and_an_unproven_delete_over_it(tmp_path: Path, seaweed: S3Server):
    environment = {"APP_KEY": "wk-lantern-app"}
    with running_in_s3(tmp_path, seaweed, settings=QUICK, environment=environment) as service:
        service.stop()
        values = orjson.loads(service.config.read_bytes())
        values["sources"]["app"] = {"write_keys": ["env:APP_KEY"]}
        service.config.write_bytes(orjson.dumps(values))
        service.start()
        notice = b'{"writeKey":"wk-lantern-app","batch":[{"type":"delete","userId":"usr_1"},%b]}' % view("m1")

        assert service.send(notice, path="/v1/b").status == 200
        service.drain()

        assert message_ids(service) == ["m1"]
        assert [record["code"] for record in service.rejected()] == ["delete_unproven"]
        wait_until(
            "the alarm is counted", lambda: service.metrics().get("connector_delete_unproven_total") == 1
        )
        assert "1 delete notices that no proof covers" in service.log
        assert "usr_1" not in service.log


def test_the_demo_runs_against_s3_with_one_extra_word(tmp_path: Path, seaweed: S3Server):
    command = [
        sys.executable,
        "-m",
        "connector",
        "demo",
        "--s3",
        "--people",
        "1000",
        "--data",
        str(tmp_path / "d"),
    ]

    ran = subprocess.run(command, capture_output=True, text=True, timeout=180, check=False)

    assert ran.returncode == 0, ran.stderr
    assert "The ledger holds." in ran.stdout
    assert "s3://lake-" in ran.stdout
