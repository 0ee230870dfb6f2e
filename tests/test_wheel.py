"""The built wheel has all that it needs: installed alone, it runs the demo without the checkout."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from zipfile import ZipFile

import pytest
from conftest import require

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "connector"
_SECONDS = 180.0
_WHERE = """
import connector, connector.wiring
print(connector.__file__)
print(connector.wiring.shipped_mapping())
"""


def run(*command: str, cwd: Path, environment: dict[str, str] | None = None) -> str:
    """Run a command that must succeed under this interpreter; return what it printed."""
    ran = subprocess.run(
        [sys.executable, *command],
        cwd=cwd,
        env=environment,
        capture_output=True,
        timeout=_SECONDS,
        check=False,
    )
    assert ran.returncode == 0, (ran.stdout + ran.stderr).decode()
    return ran.stdout.decode()


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    require(find_spec("build") and find_spec("hatchling"), "build and hatchling, to build the wheel")
    dist = tmp_path_factory.mktemp("dist")
    run("-m", "build", "--wheel", "--no-isolation", "--outdir", str(dist), str(ROOT), cwd=dist)
    (built,) = dist.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def site(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel installed by itself; its dependencies are those of this environment."""
    require(find_spec("pip"), "pip, to install the wheel")
    target = tmp_path_factory.mktemp("installed") / "site"
    options = ("--quiet", "--disable-pip-version-check", "--no-deps", "--no-index", "--target", str(target))
    run("-m", "pip", "install", *options, str(wheel), cwd=target.parent)
    return target


@pytest.fixture
def environment(site: Path) -> dict[str, str]:
    """The installed wheel comes before the editable install, in child processes too."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CONNECTOR_")}
    return {**kept, "PYTHONPATH": str(site), "PYTHONSAFEPATH": "1"}


def test_the_wheel_carries_every_file_of_the_package_and_the_mappings(wheel: Path) -> None:
    packaged = set(ZipFile(wheel).namelist())
    sources = {
        f"connector/{path.relative_to(PACKAGE).as_posix()}"
        for path in PACKAGE.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    mappings = {f"connector/default_mappings/{path.name}" for path in (ROOT / "mappings").iterdir()}
    infra = {f"connector/infra/{name}" for name in ("template.yaml", "connector.yaml")}

    assert {"connector/default_mappings/ecommerce.yaml", "connector/lake/orders.sql"} <= packaged
    assert any(name.startswith("connector/schemas/") and name.endswith(".json") for name in packaged)
    assert {name for name in packaged if ".dist-info/" not in name} == sources | mappings | infra


def test_the_installed_wheel_runs_the_demo_from_an_empty_folder_and_its_audit_holds(
    site: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    empty, data = tmp_path / "empty", tmp_path / "demo"
    empty.mkdir()

    package, mapping = run("-c", _WHERE, cwd=empty, environment=environment).split()
    said = run(
        "-m", "connector", "demo", "--people", "1000", "--data", str(data), cwd=empty, environment=environment
    )

    assert [Path(package), Path(mapping)] == [
        site / "connector" / "__init__.py",
        site / "connector" / "default_mappings" / "ecommerce.yaml",
    ]
    assert "The ledger holds." in said
    assert list(empty.iterdir()) == []
