"""An AWS emulator as a process of its own on loopback: TLS, and every policy of the template is enforced."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from ssl import create_default_context
from typing import Any

from system.processes import descendants, wait_until, wait_until_ended

REGION = "us-east-1"
KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
"""Of the account's owner; the functions have sessions of their roles."""
_START_SECONDS = 60.0


@dataclass(frozen=True)
class MiniStack:
    """A running emulator."""

    port: int
    folder: Path

    @property
    def endpoint(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    @property
    def certificate(self) -> Path:
        return self.folder / "ministack-tls" / "server.crt"

    @property
    def log(self) -> str:
        return (self.folder / "ministack.log").read_text(encoding="utf-8", errors="replace")

    @property
    def environment(self) -> Mapping[str, str]:
        """What a process needs to take it for AWS."""
        return {
            **KEYS,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_CA_BUNDLE": str(self.certificate),
            "AWS_EC2_METADATA_DISABLED": "true",
            "NO_PROXY": "127.0.0.1,localhost",
        }

    def client(self, service: str) -> Any:
        import boto3
        from botocore.config import Config

        return boto3.client(
            service,
            endpoint_url=self.endpoint,
            verify=str(self.certificate),
            region_name=REGION,
            aws_access_key_id=KEYS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=KEYS["AWS_SECRET_ACCESS_KEY"],
            config=Config(proxies={}, retries={"total_max_attempts": 1}, read_timeout=180),
        )

    @property
    def answers(self) -> bool:
        try:
            context = create_default_context(cafile=str(self.certificate))
            opener = urllib.request.build_opener(
                urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)
            )
            with opener.open(f"{self.endpoint}/_ministack/health", timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False


@contextmanager
def running(program: Path, folder: Path) -> Iterator[MiniStack]:
    """Start it, and stop it and its functions' processes by their ids.

    Args:
        program: MiniStack's own command, in the environment it was installed into.
        folder: for everything it writes.
    """
    folder.mkdir(parents=True, exist_ok=True)
    here = MiniStack(_free_port(), folder)
    environment = {
        **KEYS, "PATH": os.environ["PATH"], "HOME": str(folder), "TMPDIR": str(folder),
        "AUTH": "true", "USE_SSL": "true", "BIND_HOST": "127.0.0.1", "GATEWAY_PORT": str(here.port),
        "S3_DATA_DIR": str(folder / "s3"), "NO_PROXY": "127.0.0.1,localhost", "SFTP_ENABLED": "0",
        "IOT_MTLS_ENABLED": "0",
    }  # fmt: skip
    with (folder / "ministack.log").open("wb") as log:
        process = subprocess.Popen([program], env=environment, stdout=log, stderr=log, cwd=folder)
        try:
            wait_until(
                "MiniStack answers", lambda: process.poll() is not None or here.answers, _START_SECONDS
            )
            assert process.poll() is None, here.log[-2_000:]
            yield here
        finally:
            below = descendants(process.pid)
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(2)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            for child in below:
                child.send(signal.SIGKILL)
            wait_until_ended(below)
            for left in folder.glob("ministack-lambda-*"):
                shutil.rmtree(left, ignore_errors=True)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
