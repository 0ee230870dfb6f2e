"""The template, deployed onto the emulator with the real bundles, and what a person does with it then."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import urllib3
from infra.ministack import MiniStack, running
from system.service import Answer

from connector.infra import yaml_tags
from connector.infra.packing import Packed, upload
from connector.infra.template import shipped
from connector.infra.translate import translate

STACK = "lake"
CODE = "code"
PARAMETERS = {
    "Architecture": "x86_64",
    "HttpApi": "yes",
    "BufferSeconds": "0",
    "QueueVisibilitySeconds": "12",
    "MaxReceiveCount": "2",
    "UnpackedMaxBytes": "8388608",
}
"""Shorter waits than in production, and a small bound for what an object may unpack to. Of ``Runtime`` the
emulator takes the language alone: it runs its own Python, for which the bundles are made."""
_DEPLOY_SECONDS = 120.0


@dataclass(frozen=True)
class Deployment:
    """A stack that is there."""

    aws: MiniStack
    resources: Mapping[str, Any]
    """Logical name -> type and properties, of what the translated template asks for."""
    outputs: Mapping[str, str]
    folder: Path
    _clients: dict[str, Any] = field(default_factory=dict, repr=False)

    def client(self, service: str) -> Any:
        if service not in self._clients:
            self._clients[service] = self.aws.client(service)
        return self._clients[service]

    def named(self, logical: str) -> str:
        """The physical name of a resource."""
        found = self.client("cloudformation").describe_stack_resource(
            StackName=STACK, LogicalResourceId=logical
        )
        return str(found["StackResourceDetail"]["PhysicalResourceId"])

    @cached_property
    def bucket(self) -> str:
        return urlsplit(self.outputs["DataUri"]).netloc

    @cached_property
    def secret(self) -> str:
        """The shared secret, as a person reads it to paste it into Segment."""
        found = self.client("secretsmanager").get_secret_value(SecretId=self.outputs["WebhookSecretArn"])
        return str(json.loads(found["SecretString"])["WEB_SECRET"])

    def post(
        self, path: str, body: bytes, headers: Mapping[str, str] | None = None, at: str = "WebhookUrl"
    ) -> Answer:
        """A request to the function URL, or to what another output names: its host name, at the emulator's
        address."""
        host = urlsplit(self.outputs[at]).netloc
        pool = urllib3.HTTPSConnectionPool(
            "127.0.0.1", self.aws.port, ca_certs=str(self.aws.certificate), retries=False, timeout=60
        )
        with pool:
            sent = {"Host": host, "Content-Type": "application/json", **(headers or {})}
            answer = pool.request("POST", path, body=body, headers=sent)
            return Answer(
                answer.status, {name.lower(): value for name, value in answer.headers.items()}, answer.data
            )

    def invoke(self, logical: str, event: Mapping[str, Any] | None = None) -> Any:
        """Run a function as its schedule does; what it returned."""
        ran = self.client("lambda").invoke(FunctionName=self.named(logical), Payload=json.dumps(event or {}))
        payload = json.loads(ran["Payload"].read() or b"null")
        assert "FunctionError" not in ran, payload
        return payload

    def run(self, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
        """A command of the connector beside the deployment; its exit code is the caller's to judge."""
        inherited = {
            key: value for key, value in os.environ.items() if not key.startswith(("CONNECTOR_", "AWS_"))
        }
        environment = {
            **inherited, **self.aws.environment,
            "CONNECTOR_DATA": self.outputs["DataUri"],
            "CONNECTOR_JOURNAL": str(self.folder / "journal"),
            "CONNECTOR_AWS__JOURNAL": self.outputs["JournalUri"],
            "CONNECTOR_AWS__REFUSED": self.outputs["RefusedUri"],
            **settings,
        }  # fmt: skip
        command = [sys.executable, "-m", "connector", *arguments]
        return subprocess.run(
            command,
            env=environment,
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
            cwd=self.folder,
        )

    def audit(self, **settings: str) -> tuple[int, Any]:
        """Exit code and report."""
        ran = self.run("audit", "--json", **settings)
        assert ran.stdout, ran.stderr
        return ran.returncode, json.loads(ran.stdout)

    def waiting(self, queue: str = "CaptureQueueUrl") -> int:
        """Messages in a queue, those being worked on included."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        found = self.client("sqs").get_queue_attributes(QueueUrl=self.outputs[queue], AttributeNames=names)
        return sum(int(found["Attributes"][name]) for name in names)

    def content(self, key: str) -> bytes:
        """Of an object of the bucket."""
        return bytes(self.client("s3").get_object(Bucket=self.bucket, Key=key)["Body"].read())

    def keys(self, prefix: str) -> list[str]:
        """What lies in the bucket below a prefix."""
        pages = self.client("s3").get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix)
        return [entry["Key"] for page in pages for entry in page.get("Contents", ())]


@contextmanager
def deployed(program: Path, zips: Mapping[str, Path], folder: Path) -> Iterator[Deployment]:
    """An emulator with the stack in it, until the block ends.

    Args:
        program: MiniStack's command.
        zips: ``receiver.zip``, ``writer.zip`` and ``janitor.zip``, and where they are.
        folder: for all that is written.
    """
    with running(program, folder / "emulator") as aws:
        s3 = aws.client("s3")
        s3.create_bucket(Bucket=CODE)
        packed = [Packed(path.stem, path, 0, 0) for path in zips.values()]
        names = upload(packed, "", lambda name, path: s3.upload_file(str(path), CODE, name))
        yield deploy(aws, {bundle: f"s3://{CODE}/{name}" for bundle, name in names.items()}, folder)


def deploy(aws: MiniStack, addresses: Mapping[str, str], folder: Path) -> Deployment:
    """Create the stack from the template and wait for its end.

    Args:
        addresses: ``receiver.zip`` -> ``s3://code/<key>``, of bundles that the emulator has.
        folder: for the commands that are run beside it.
    """
    text = shipped("template.yaml").read_text(encoding="utf-8")
    template = json.loads(translate(text, addresses.__getitem__))
    _numbers_are_numbers(template, yaml_tags.load(text)["Parameters"])
    aws.client("s3").put_object(Bucket=CODE, Key="template.json", Body=json.dumps(template).encode())
    formation = aws.client("cloudformation")
    formation.create_stack(
        StackName=STACK,
        TemplateURL=f"{aws.endpoint}/{CODE}/template.json",
        Capabilities=["CAPABILITY_IAM"],
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in PARAMETERS.items()],
    )
    stack = _ended(lambda: formation.describe_stacks(StackName=STACK)["Stacks"][0])
    assert stack["StackStatus"] == "CREATE_COMPLETE", (stack.get("StackStatusReason"), aws.log[-3_000:])
    outputs = {each["OutputKey"]: each["OutputValue"] for each in stack["Outputs"]}
    return Deployment(aws, template["Resources"], outputs, folder)


def _numbers_are_numbers(template: dict[str, Any], parameters: Mapping[str, Any]) -> None:
    """The emulator keeps a number of a parameter as text, and its queue poller stumbles over it."""
    mapping = template["Resources"]["WriterFunctionCaptures"]["Properties"]
    mapping["BatchSize"] = parameters["WriterBatchSize"]["Default"]
    mapping["ScalingConfig"]["MaximumConcurrency"] = parameters["WriterMaximumConcurrency"]["Default"]


def _ended(look: Callable[[], Mapping[str, Any]]) -> Mapping[str, Any]:
    deadline = time.monotonic() + _DEPLOY_SECONDS
    while (stack := look())["StackStatus"].endswith("IN_PROGRESS"):
        assert time.monotonic() < deadline, stack
        time.sleep(0.2)
    return stack
