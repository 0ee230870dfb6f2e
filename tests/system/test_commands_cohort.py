"""``connector cohort``: people found, kept, and sent over real HTTP, also into another lake."""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from report.cohort_receivers import Answering, answering
from s3_servers import S3Server
from system.processes import wait_until
from system.service import Lake, running

from connector.cli import main

pytestmark = pytest.mark.slow

WEEK = "2026-03-0{}T10:00:00.000Z"
PEOPLE = [f"shopper-{number:02}" for number in range(40)]
BUYERS = PEOPLE[:10]
LAMP = {"product_id": "lamp", "category": "Lamps", "price": 20, "quantity": 1}


class Shop(Lake):
    """A lake whose commands run in this process, but for ``popen``."""

    def call(self, *arguments: str) -> Result:
        return CliRunner().invoke(main, arguments, env=self.variables, prog_name="connector")

    def said(self, *arguments: str) -> str:
        """What a command prints that must succeed."""
        result = self.call(*arguments)
        assert result.exit_code == 0, result.output + repr(result.exception)
        return result.stdout

    def cohort(self, *arguments: str) -> str:
        return self.said("cohort", *arguments)

    def replay(self, calls: list[dict[str, Any]], name: str) -> None:
        path = self.folder / f"{name}.ndjson"
        path.write_text("".join(json.dumps(call) + "\n" for call in calls))
        self.said("replay", str(path))


def said(kind: str, user: str, day: int, number: int, **more: Any) -> dict[str, Any]:
    """A call as Segment sends it."""
    return {
        "type": kind, "userId": user, "messageId": f"{kind}-{user}-{day}-{number}",
        "timestamp": WEEK.format(day), "receivedAt": WEEK.format(day), **more,
    }  # fmt: skip


def order_of(user: str, day: int) -> dict[str, Any]:
    order = {"order_id": f"order-{user}", "revenue": 20, "currency": "USD", "products": [LAMP]}
    return said("track", user, day, 1, event="Order Completed", properties=order)


def week() -> list[dict[str, Any]]:
    """Forty people look at lamps, ten of them buy one; all but the last four can be reached."""
    calls = []
    for number, user in enumerate(PEOPLE):
        traits: dict[str, Any] = {"firstName": user.title()}
        if user not in PEOPLE[-4:]:
            traits |= {
                "email": f"{user}@example.com", "phone": f"+4930901820{number:02}",
                "smsConsent": number % 2 == 0, "plan": "gold" if number < 20 else "none",
            }  # fmt: skip
        calls.append(said("identify", user, 1, number, traits=traits))
        calls.append(said("track", user, 2, number, event="Product Viewed", properties=LAMP))
    return [*calls, *(order_of(user, 3) for user in BUYERS)]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with the week in it."""
    lake = Shop(tmp_path_factory.mktemp("week"), sources={})
    lake.replay(week(), "week")
    return lake.data


@pytest.fixture
def shop(written: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Shop]:
    """Makes a lake of the week with channels, and perhaps with a receiver as the channel ``crm``."""
    monkeypatch.setenv("CONNECTOR_CONFIG", "")

    def make(receiver: Answering | None = None, **channels: Any) -> Shop:
        configured: dict[str, Any] = {
            "files": {"kind": "csv", "folder": str(tmp_path / "out"), "columns": ["traits.plan"]},
            "sms": {"kind": "twilio", "folder": str(tmp_path / "out")},
            **channels,
        }
        if receiver is not None:
            headers = {"Authorization": "env:CRM_TOKEN"}
            configured["crm"] = {"kind": "webhook", "url": receiver.url, "headers": headers}
        lake = Shop(
            tmp_path / "here",
            {"channels": configured},
            sources={},
            environment={"CRM_TOKEN": "Bearer crm-secret"},
        )
        shutil.copytree(written, lake.data)
        return lake

    return make


def rows_of(folder: Path, ending: str) -> list[dict[str, str]]:
    (path,) = sorted(folder.glob(f"out/*{ending}"))
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def shown(lake: Shop, name: str) -> dict[str, Any]:
    return json.loads(lake.cohort("show", name))


def sent_to(receiver: Answering) -> list[str]:
    """The people in all requests, in order."""
    pages = (request.json["parameters"]["members"] for request in receiver.requests)
    return [each["mixpanel_distinct_id"] for page in pages for each in page]


def test_a_cohort_is_defined_shown_kept_and_follows_what_happens(
    shop: Callable[..., Shop], tmp_path: Path
) -> None:
    lake = shop()
    gold = {"conditions": {"profile": "traits.plan", "is": "=", "value": "gold"}}
    (tmp_path / "gold.json").write_text(json.dumps(gold))
    lamps = ("--report", "dropped", "--category", "Lamps")

    lake.cohort("create", "Lamp droppers", *lamps, "--label", "march")
    lake.cohort("create", "Gold", "--file", str(tmp_path / "gold.json"), "--description", "Pays more.")
    lake.cohort("create", "Both", "--where", "in cohort gold and not in cohort 'lamp-droppers@march'")
    lake.replay([order_of(PEOPLE[10], 3)], "later")

    listed = {each["id"]: each for each in json.loads(lake.cohort("list", "--json"))}
    assert {id_: (each["by"], each["size"]) for id_, each in listed.items()} == {
        "lamp-droppers": ("report dropped", 30), "gold": ("conditions", None), "both": ("conditions", None)
    }  # fmt: skip
    names = ("lamp-droppers", "lamp-droppers@march", "Gold", "both")
    assert [shown(lake, name)["size"] for name in names] == [29, 30, 20, 10]
    members = lake.cohort("show", "both", "--members", "--with-contacts", "--column", "traits.plan")
    first = members.splitlines()[1].split("\t")
    assert (first[1], first[3], first[7]) == ("shopper-00", "shopper-00@example.com", "gold")
    assert "@example" not in lake.cohort("show", "both", "--members")


def test_the_options_of_a_report_are_its_own(shop: Callable[..., Shop]) -> None:
    """``--where`` of a funnel is the funnel's, and so is the zone."""
    lake = shop()
    steps = ("--step", "Product Viewed", "--step", "Order Completed", "--where", "category = 'Lamps'")

    lake.cohort("create", "Stopped", "--report", "funnel", *steps, "--timezone", "Europe/Berlin")
    lake.cohort("create", "Bought", "--report", "funnel", *steps, "--outcome", "converted")

    assert shown(lake, "stopped")["report"] == {
        "kind": "funnel",
        "parameters": {
            "timezone": "Europe/Berlin", "step": ["Product Viewed", "Order Completed"],
            "where": "category = 'Lamps'",
        },
    }  # fmt: skip
    assert [shown(lake, name)["size"] for name in ("stopped", "bought")] == [30, 10]


def test_files_of_everybody_then_of_the_difference(shop: Callable[..., Shop], tmp_path: Path) -> None:
    lake = shop()
    lake.cohort("create", "Droppers", "--where", "did 'Product Viewed' and not did 'Order Completed'")
    to_files = ("droppers", "--channel", "files", "--with-contacts")

    lake.cohort("export", *to_files, "--dry-run")
    assert not (tmp_path / "out").exists()
    exported = lake.call("cohort", "export", *to_files)
    assert (exported.exit_code, "4 left out (no_address)" in exported.stderr) == (0, True)
    rows = rows_of(tmp_path, "-members.csv")
    assert [row["uid"] for row in rows] == PEOPLE[10:36]
    assert (rows[0]["email"], rows[0]["first_name"], rows[0]["plan"]) == (
        "shopper-10@example.com", "Shopper-10", "gold"
    )  # fmt: skip

    found = said("identify", PEOPLE[-1], 4, 1, traits={"email": "found@example.com"})
    lake.replay([order_of(PEOPLE[10], 4), found], "later")
    lake.cohort("sync", *to_files)
    lake.cohort("sync", *to_files)

    assert [row["uid"] for row in rows_of(tmp_path, "-add_members.csv")] == [PEOPLE[-1]]
    assert [row["uid"] for row in rows_of(tmp_path, "-remove_members.csv")] == [PEOPLE[10]]
    assert len(list((tmp_path / "out").iterdir())) == 3, "nothing has changed, nothing is written"
    entries = json.loads(lake.cohort("log", "droppers", "--channel", "files", "--json"))
    assert [(each["action"], each["sent"], each["status"]) for each in entries] == [
        ("add_members", 1, "ok"), ("remove_members", 1, "ok")
    ]  # fmt: skip
    assert "example.com" not in json.dumps(entries)


def test_text_messages_go_to_who_consented(shop: Callable[..., Shop], tmp_path: Path) -> None:
    lake = shop()
    lake.cohort("create", "Lookers", "--where", "did 'Product Viewed'")

    lake.cohort("export", "lookers", "--channel", "sms")

    (path,) = (tmp_path / "out").iterdir()
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    assert [row["to"] for row in rows] == [f"+4930901820{number:02}" for number in range(0, 36, 2)]
    assert len({row["idempotency_key"] for row in rows}) == 18


def test_a_control_group_is_held_back_and_the_report_of_the_experiment_finds_it(
    shop: Callable[..., Shop],
) -> None:
    lamps = ("--report", "dropped", "--category", "Lamps", "--label", "m")
    export = ("cohort", "export", "lamp-droppers@m", "--channel", "crm", "--holdout", "50%")
    with answering() as crm:
        lake = shop(crm)
        lake.cohort("create", "Lamp droppers", *lamps)
        first = lake.call(*export, "--experiment", "Lamp offer")
        assert lake.call(*export, "--experiment", "Lamp offer").exit_code == first.exit_code == 0, (
            first.output
        )

    assert "smallest detectable lift: " in first.stderr
    assert "at a baseline of 25.0% (the category Lamps)" in first.stderr
    exposures = lake.query(
        "SELECT user_id, variation_name, experiment_name, source FROM events "
        "WHERE event = 'Experiment Viewed'"
    )
    arms = {user: arm for user, arm, _, _ in exposures}
    assert set(sent_to(crm)) == {user for user, arm in arms.items() if arm == "treatment"}
    assert len(exposures) == len(arms) == 26, "everybody who can be reached, once, however often it was sent"
    assert {(name, source) for _, _, name, source in exposures} == {("Lamp offer", "connector")}
    rows = json.loads(lake.said("report", "experiment", "--experiment", "Lamp offer", "--json"))["rows"]
    assert {row["variant"]: row["exposed"] for row in rows} == dict(Counter(arms.values()))
    lake.said("audit")


def test_a_receiver_that_refuses_pauses_the_sync_until_a_person_resumes_it(
    shop: Callable[..., Shop],
) -> None:
    sync = ("cohort", "sync", "lookers", "--channel", "crm")
    with answering((403, b"")) as crm:
        lake = shop(crm)
        lake.cohort("create", "Lookers", "--where", "did 'Product Viewed'")

        results = [lake.call(*sync), lake.call(*sync), lake.call(*sync, "--resume")]

    refused, paused, resumed = results
    assert [result.exit_code for result in results] == [1, 1, 0], resumed.output
    assert "the receiver answered 403: crm is paused" in refused.stderr
    assert "run it again with --resume" in paused.stderr
    assert len(crm.requests) == 2, "nothing leaves while it is paused"
    assert {request.headers["authorization"] for request in crm.requests} == {"Bearer crm-secret"}
    printed = "".join(result.output for result in results)
    assert not any(hidden in printed for hidden in ("crm-secret", "@example.com", "shopper-", "127.0.0.1"))


def test_a_killed_delivery_goes_on_and_everybody_arrives(shop: Callable[..., Shop]) -> None:
    """Pages of a thousand: the second one is not answered, the process dies, the next run goes on."""
    many = [f"crowd-{number:04}" for number in range(1_500)]
    with answering(200, *["reset"] * 6) as crm:
        lake = shop(crm)
        lake.replay(
            [said("identify", user, 1, 0, traits={"email": f"{user}@example.com"}) for user in many], "crowd"
        )
        lake.cohort("create", "Crowd", "--where", "profile email contains 'crowd'")

        first = lake.popen("cohort", "export", "crowd", "--channel", "crm", stderr=subprocess.DEVNULL)
        wait_until("the second page was sent", lambda: len(crm.requests) >= 2)
        first.kill()
        first.wait()
        crm.answers.clear()
        before = len(crm.requests)
        lake.cohort("sync", "crowd", "--channel", "crm")

    pages = [request.json["parameters"]["page_info"]["page_count"] for request in crm.requests[before:]]
    assert pages == [2], "from the first page that is not known to have arrived"
    assert sorted(set(sent_to(crm))) == many


def test_segment_hears_who_enters_and_who_leaves(shop: Callable[..., Shop], tmp_path: Path) -> None:
    """The other end is a lake of our own, which speaks Segment's API."""
    sources = {"crm": {"write_keys": ["env:CRM_WRITE_KEY"]}}
    keys = {"CRM_WRITE_KEY": "wk-crm"}
    (tmp_path / "key").write_text("wk-crm\n")
    with ExitStack() as stack:
        there = stack.enter_context(
            running(tmp_path / "there", settings={"workers": 1}, sources=sources, environment=keys)
        )
        segment = {
            "kind": "segment", "write_key": f"file:{tmp_path}/key",
            "host": f"http://127.0.0.1:{there.port}", "columns": ["traits.plan"],
        }  # fmt: skip
        here = shop(segment=segment)
        here.cohort("create", "Droppers", "--where", "did 'Product Viewed' and not did 'Order Completed'")
        here.cohort("sync", "droppers", "--channel", "segment")
        here.replay([order_of(PEOPLE[10], 4)], "later")
        here.cohort("sync", "droppers", "--channel", "segment")
        there.stop()
        there.drain()

        rows = there.query(
            "SELECT user_id, source, (traits::JSON)->>'$.\"Mixpanel - Droppers\"', (traits::JSON)->>'plan' "
            "FROM profiles ORDER BY timestamp, user_id"
        )
    assert [row[:3] for row in rows] == [
        *((user, "crm", "true") for user in PEOPLE[10:]), (PEOPLE[10], "crm", "false")
    ]  # fmt: skip
    assert rows[0][3] == "gold"


def test_everything_lies_beside_the_data_in_a_bucket_too(
    moto: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONNECTOR_CONFIG", "")
    place = moto.place()
    lake = Shop(
        tmp_path,
        {"data": place.uri, "journal": str(tmp_path / "journal"),
         "channels": {"files": {"kind": "csv", "folder": str(tmp_path / "out")}}},
        sources={}, environment=moto.environment,
    )  # fmt: skip
    lake.replay(week(), "week")
    lake.cohort("create", "Lookers", "--where", "did 'Product Viewed'", "--label", "all")

    export = ("export", "lookers@all", "--channel", "files", "--holdout", "50%", "--experiment", "Offer")
    lake.cohort(*export)

    rows = rows_of(tmp_path, "-members.csv")
    arms = (
        "SELECT variation_name, count(*) FROM events WHERE event = 'Experiment Viewed' GROUP BY 1 ORDER BY 1"
    )
    assert f"treatment,{len(rows)}" in lake.said("sql", arms).replace("\t", ",").replace(" ", "")
    kinds = {info.name.split("/")[3] for info in moto.store(place).find("saved/cohorts/lookers/")}
    assert kinds == {"definition-1.json", "snapshots", "deliveries"}


def test_an_address_on_the_command_line_is_no_channel(shop: Callable[..., Shop]) -> None:
    lake = shop()
    lake.cohort("create", "Lookers", "--where", "did 'Product Viewed'")

    ran = lake.call("cohort", "export", "lookers", "--channel", "https://crm.example.com/")

    assert ran.exit_code == 2
    assert "no channel https://crm.example.com/ is configured under channels; there is files" in ran.stderr


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("create", "x"), "give one of --report, --where and --file"),
        (("create", "x", "--where", "did 'x'", "--category", "y"), "No such option: --category"),
        (("create", "x", "--report", "dropped"), "--category: name it"),
        (("create", "--report", "dropped", "--category", "y", "x"), "the name comes first"),
        (("create", "x", "--report", "dropped", "--nonsense", "y"), "No such option"),
        (("export", "x", "--channel", "files", "--holdout", "20%"), "--holdout and --experiment go together"),
        (("export", "x", "--channel", "files", "--holdout", "0%", "--experiment", "e"), "a share above 0"),
        (("sync", "x@latest", "--channel", "files"), "a snapshot never changes"),
        (("sync", "nobody", "--channel", "files"), "cohort nobody: there is none"),
        (("show", "x", "--with-contacts"), "go with --members"),
    ],
)
def test_what_cannot_be_is_said_and_nothing_happens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], told: str
) -> None:
    monkeypatch.setenv("CONNECTOR_CONFIG", "")
    lake = Shop(
        tmp_path, {"channels": {"files": {"kind": "csv", "folder": str(tmp_path / "out")}}}, sources={}
    )
    lake.data.mkdir()

    ran = lake.call("cohort", *arguments)

    assert (ran.exit_code, told in ran.stderr) == (2, True), ran.output
    assert not (lake.data / "saved").exists()
