"""The engine that the tests of this folder share, as a fixture to import."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from conftest import require

from tests.oracle.oracle import Oracle, missing


@pytest.fixture(scope="module")
def oracle() -> Iterator[Oracle]:
    lacking = missing()
    require(lacking is None, lacking or "")
    with Oracle() as engine:
        yield engine
