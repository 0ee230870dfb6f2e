"""
The template on an AWS emulator, end to end: what is there after the deployment, and what becomes of events.

Every policy is enforced, over TLS, so what a function may not do fails. One deployment serves all tests, in
the order in which they stand; each leaves a ledger that holds.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import require
from infra.building import zips
from infra.deployment import Deployment, deployed
from system.processes import wait_until
from system.service import batch_of, signature

from tests.aws.install import DEFAULT_FOLDER, installed, program

pytestmark = pytest.mark.slow

EVENTS = [
    b'{"type":"track","event":"Product Viewed","messageId":"view-%d","userId":"u-%d",'
    b'"timestamp":"2026-11-20T10:00:0%dZ","properties":{"product_id":"p-1","category":"Toys","price":19.99}}'
    % (number, number, number)
    for number in range(5)
]
ORDER = (
    b'{"type":"track","event":"Order Completed","messageId":"order-1","userId":"u-1",'
    b'"timestamp":"2026-11-21T10:00:00Z","properties":{"order_id":"o-1","revenue":30.5,"currency":"EUR","products":'
    b'[{"product_id":"p-1","price":10.5,"quantity":1},{"product_id":"p-2","price":20,"quantity":1}]}}'
)


OFF = ("WithDomain", "WithRecord", "WithEmail")
"""Conditions that do not hold: there is neither a domain nor an address here."""


def test_everything_that_the_template_asks_for_is_there(stack: Deployment):
    listed = stack.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName="lake")
    found = {each["LogicalResourceId"] for page in listed for each in page["StackResourceSummaries"]}
    off = {name for name, each in stack.resources.items() if each.get("Condition") in OFF}

    assert found == stack.resources.keys() - off


def test_the_services_themselves_know_what_was_deployed(stack: Deployment):
    """But for lifecycle rules: the emulator says that it made them and has none."""
    bucket, s3 = stack.bucket, stack.client("s3")
    notified = s3.get_bucket_notification_configuration(Bucket=bucket)["QueueConfigurations"][0]
    queue = stack.client("sqs").get_queue_attributes(
        QueueUrl=stack.outputs["CaptureQueueUrl"], AttributeNames=["All"]
    )
    stream = stack.client("firehose").describe_delivery_stream(
        DeliveryStreamName=stack.named("JournalStream")
    )
    delivery = stream["DeliveryStreamDescription"]["Destinations"][0]["ExtendedS3DestinationDescription"]
    tables = stack.client("glue").get_tables(DatabaseName=stack.outputs["Database"])["TableList"]
    group = stack.client("athena").get_work_group(WorkGroup=stack.outputs["WorkGroup"])["WorkGroup"]

    assert notified["QueueArn"] == queue["Attributes"]["QueueArn"]
    assert (
        json.loads(queue["Attributes"]["RedrivePolicy"])["deadLetterTargetArn"].rpartition(":")[2]
        in (stack.outputs["DeadLetterQueueUrl"])
    )
    assert all(s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"].values())
    assert delivery["CompressionFormat"] == "GZIP"
    assert {table["Name"]: table["Parameters"]["projection.enabled"] for table in tables} == {
        f"{name}_raw": "true" for name in ("events", "profiles", "groups", "aliases", "deletions")
    }
    assert int(group["Configuration"]["BytesScannedCutoffPerQuery"]) == 107_374_182_400
    assert group["Configuration"]["ResultConfiguration"]["OutputLocation"] == f"s3://{bucket}/athena-results/"


def test_every_alarm_that_the_template_defines_is_set_and_tells_somebody(stack: Deployment):
    wanted = [
        name
        for name, each in stack.resources.items()
        if each["Type"] == "AWS::CloudWatch::Alarm" and each.get("Condition") not in OFF
    ]
    alarms = stack.client("cloudwatch").get_paginator("describe_alarms").paginate()
    found = [alarm for page in alarms for alarm in page["MetricAlarms"]]

    assert len(found) == len(wanted) > 12
    assert {tuple(alarm["AlarmActions"]) for alarm in found} == {(stack.outputs["AlarmTopicArn"],)}


def test_each_function_runs_its_own_role_and_logs_into_its_own_group(stack: Deployment):
    names = ("ReceiverFunction", "WriterFunction", "ReconcileFunction", "JanitorFunction")
    about = stack.client("lambda").get_function_configuration
    functions = {name: about(FunctionName=stack.named(name)) for name in names}
    groups = stack.client("logs").describe_log_groups(logGroupNamePrefix="/segment-lake/lake/")["logGroups"]

    assert len({each["Role"] for each in functions.values()}) == 4
    assert {group["logGroupName"] for group in groups} >= {
        each["LoggingConfig"]["LogGroup"] for each in functions.values()
    }
    assert {group["retentionInDays"] for group in groups} == {30}
    assert {each["Architectures"][0] for each in functions.values()} == {"x86_64"}


def test_signed_webhooks_become_rows_that_the_audit_accounts_for(stack: Deployment):
    answers = [
        stack.post("/webhook/web", ORDER, signature(ORDER, stack.secret)),
        stack.post("/webhook/web", batch_of(EVENTS), signature(EVENTS[0], stack.secret)),
        stack.post("/webhook/web", ORDER, signature(ORDER, stack.secret)),
    ]
    written(stack)
    code, report = stack.audit()

    assert [(answer.status, answer.json) for answer in answers] == [(200, {"status": "ok"})] * 3
    assert (code, report["findings"], report["received"], report["open_files"]) == (0, [], 7, 0)
    assert query(stack, "SELECT event, count(*) AS n FROM events GROUP BY event ORDER BY event") == [
        {"event": "Order Completed", "n": "1"},
        {"event": "Product Purchased", "n": "2"},
        {"event": "Product Viewed", "n": "5"},
    ]


def test_the_http_api_takes_the_same(stack: Deployment):
    event = EVENTS[0].replace(b"view-0", b"view-by-api")

    answer = stack.post("/webhook/web", event, signature(event, stack.secret), at="HttpApiWebhookUrl")
    forged = stack.post("/webhook/web", event, signature(event, "guessed"), at="HttpApiWebhookUrl")
    written(stack)

    assert (answer.status, forged.status) == (200, 401)
    assert query(stack, "SELECT event FROM events WHERE message_id = 'view-by-api'") == [
        {"event": "Product Viewed"}
    ]


def test_what_is_not_genuine_or_not_json_is_refused_and_only_the_genuine_is_kept(stack: Deployment):
    before = len(stack.keys("journal/"))
    torn = b'{"type":"track",'

    forged = stack.post("/webhook/web", ORDER, signature(ORDER, "guessed"))
    unknown = stack.post("/webhook/nobody", ORDER, signature(ORDER, stack.secret))
    broken = stack.post("/webhook/web", torn, signature(torn, stack.secret))

    assert (forged.status, forged.json["code"]) == (401, "signature_mismatch")
    assert (unknown.status, unknown.json["code"]) == (503, "unknown_source")
    assert (broken.status, broken.json["code"]) == (400, "body_not_json")
    assert len(stack.keys("journal/")) == before
    assert len(stack.keys("refused/")) == 1
    assert stack.audit()[1]["refused"] == 1


def test_a_request_larger_than_a_record_is_an_object_of_its_own(stack: Deployment):
    events = [
        b'{"type":"page","messageId":"page-%d","anonymousId":"a-1","timestamp":"2026-11-21T11:00:00Z",'
        b'"properties":{"title":"%s"}}' % (number, b"x" * 20_000)
        for number in range(60)
    ]
    body = batch_of(events)

    answer = stack.post("/webhook/web", body, signature(events[0], stack.secret))
    written(stack)
    direct = stack.keys("journal/direct/")

    assert (answer.status, len(body) > 1_000_000, len(direct)) == (200, True, 1)
    assert query(stack, "SELECT count(*) AS n FROM events WHERE type = 'page'") == [{"n": "60"}]


def test_while_the_stream_refuses_the_answer_is_503_and_nothing_is_acknowledged(stack: Deployment):
    before = len(stack.keys("journal/"))
    with without_policy(stack, "ReceiverRole", "receiver"):
        refused = stack.post("/webhook/web", EVENTS[0], signature(EVENTS[0], stack.secret))
    again = stack.post("/webhook/web", EVENTS[0], signature(EVENTS[0], stack.secret))
    written(stack)

    assert (refused.status, refused.json["code"], refused.headers["retry-after"]) == (
        503,
        "journal_failed",
        "5",
    )
    assert (again.status, len(stack.keys("journal/"))) == (200, before + 1)


def test_an_object_that_breaks_the_writer_ends_in_the_dead_letter_queue_and_can_be_driven_again(
    stack: Deployment,
):
    bomb = gzip.compress(b"\n" * 16_000_000 + EVENTS[1].replace(b"view-1", b"view-of-the-bomb"))
    stack.client("s3").put_object(Bucket=stack.bucket, Key="journal/firehose/2026/11/22/00/bomb", Body=bomb)
    wait_until("the message is given up", lambda: stack.waiting("DeadLetterQueueUrl") == 1, 90)

    young, _ = stack.audit()
    code, report = stack.audit(CONNECTOR_OPEN_AFTER_SECONDS="1")

    assert young == 0
    assert (code, report["open_files"], report["ok"]) == (1, 1, False)
    assert "journal/firehose/2026/11/22/00/bomb" in report["findings"][0]

    unpacking_more(stack, "134217728")
    driven = stack.run("infra", "redrive", "--stack", "lake")
    written(stack)
    code, report = stack.audit(CONNECTOR_OPEN_AFTER_SECONDS="1")

    assert (driven.returncode, "1 " in driven.stdout + driven.stderr) == (0, True), driven
    assert (code, report["open_files"], stack.waiting("DeadLetterQueueUrl")) == (0, 0, 0)
    assert query(stack, "SELECT count(*) AS n FROM events WHERE message_id = 'view-of-the-bomb'") == [
        {"n": "1"}
    ]


def test_the_recorded_records_joined_and_packed_give_the_same_rows_here(stack: Deployment, tmp_path: Path):
    """The emulator's stream writes each record by itself; Firehose joins them into one gzip object."""
    records = [stack.content(key) for key in stack.keys("journal/firehose/")]
    frames = [record for record in records if record.startswith(b'{"capture":')]
    path = tmp_path / "object.gz"
    path.write_bytes(gzip.compress(b"".join(frames)))
    here = {"CONNECTOR_DATA": str(tmp_path / "data")}
    rows = (
        "SELECT row_id, event, user_id, received_at, proven, order_revenue, line_revenue FROM events "
        "WHERE type = 'track' AND message_id <> 'view-of-the-bomb' ORDER BY row_id"
    )

    replayed = stack.run("replay", str(path), **here)

    assert (replayed.returncode, len(frames) > 4) == (0, True), replayed.stderr
    assert query(stack, rows, **here) == query(stack, rows)


def test_reconciliation_and_compaction_run_under_their_roles_and_lose_nothing(stack: Deployment):
    rows = "SELECT row_id, event, order_revenue FROM events ORDER BY row_id"
    before, files = query(stack, rows), stack.audit()[1]["table_files"]

    reconciled = stack.invoke("ReconcileFunction")
    stack.invoke("JanitorFunction")
    code, report = stack.audit()

    assert reconciled == {"open": 0, "queued": 0, "removed": 0}
    assert query(stack, rows) == before
    assert (code, report["table_files"] < files) == (0, True)
    assert report["fates"]["duplicate"] == 2


def test_nothing_that_a_customer_sent_is_in_the_logs(stack: Deployment):
    streams = stack.client("logs")
    said = "".join(
        event["message"]
        for group in streams.describe_log_groups(logGroupNamePrefix="/segment-lake/lake/")["logGroups"]
        for page in streams.get_paginator("filter_log_events").paginate(logGroupName=group["logGroupName"])
        for event in page["events"]
    )

    assert "JournalToTableDelaySeconds" in said + stack.aws.log
    assert not [word for word in ("u-1", "order-1", stack.secret) if word in said]


def written(stack: Deployment) -> None:
    """Every journal object has its record, and no message is on its way."""

    def done() -> bool:
        return stack.waiting() == 0 and len(stack.keys("journal/")) == len(stack.keys("lake/ledger/files/"))

    wait_until("the writer has written everything", done, 90)


def query(stack: Deployment, sql: str, **settings: str) -> list[dict[str, str]]:
    """Rows of an answer, every value as text."""
    ran = stack.run("sql", sql, **settings)
    assert ran.returncode == 0, ran.stderr
    names, *rows = [line.split("\t") for line in ran.stdout.splitlines()]
    return [dict(zip(names, row, strict=True)) for row in rows]


class without_policy:  # noqa: N801  reads as a statement
    """A role that may do nothing for a while."""

    def __init__(self, stack: Deployment, role: str, policy: str) -> None:
        self._iam, self._names = stack.client("iam"), {"RoleName": stack.named(role), "PolicyName": policy}

    def __enter__(self) -> None:
        self._policy = self._iam.get_role_policy(**self._names)["PolicyDocument"]
        self._iam.delete_role_policy(**self._names)

    def __exit__(self, *_: object) -> None:
        self._iam.put_role_policy(**self._names, PolicyDocument=json.dumps(self._policy))


def unpacking_more(stack: Deployment, limit: str) -> None:
    """What a deployment with a larger ``UnpackedMaxBytes`` changes."""
    functions, name = stack.client("lambda"), stack.named("WriterFunction")
    variables = functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
    functions.update_function_configuration(
        FunctionName=name, Environment={"Variables": {**variables, "CONNECTOR_UNPACKED_MAX_BYTES": limit}}
    )


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """The deployment."""
    require(installed(DEFAULT_FOLDER), "MiniStack; make ministack installs it")
    with deployed(program(DEFAULT_FOLDER), zips(), tmp_path_factory.mktemp("aws")) as stack:
        yield stack
