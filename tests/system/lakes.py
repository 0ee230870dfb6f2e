"""A data folder of this machine or in S3, with the commands on it; no process of the service runs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from s3_servers import S3Server
from system.s3_service import s3_service
from system.service import Lake

KEY = {"PRIVACY_KEY": "one key for all of these lakes"}


def lake_in(
    request: pytest.FixtureRequest,
    folder: Path,
    settings: Mapping[str, Any] | None = None,
    sources: Mapping[str, Any] | None = None,
) -> Lake:
    """The one that ``request.param`` names: ``disk``, or the fixture of an S3 server."""
    settings = {"privacy_key": "env:PRIVACY_KEY", **(settings or {})}
    if request.param == "disk":
        return Lake(folder, settings, sources if sources is not None else {}, KEY)
    server: S3Server = request.getfixturevalue(request.param)
    made = s3_service(folder, server, settings=settings, environment=KEY)
    if sources is not None:
        made.sources = sources
        made.__post_init__()
    return made


def put(lake: Lake, name: str, content: bytes) -> str:
    """A captured file that a person has."""
    path = lake.folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return str(path)
