"""The bundles have all that a function imports, nothing that it does not need, and fit into Lambda."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from conftest import require
from infra.building import ARM, HERE, bundles

from connector.infra.bundles import BundleTooLarge, Configuration, assemble, size_of, zip_folder
from connector.infra.elf import stripped
from connector.infra.requirements import BUNDLES, pins
from connector.infra.slim import is_kept
from connector.infra.wheels import PackagesFailed, Target, wheel_of

pytestmark = pytest.mark.slow

RUNTIME = ("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "urllib3", "six")
"""What Lambda's Python brings: boto3 and what it needs."""
HANDLERS = {"receiver": "receiver", "writer": "writer", "reconcile": "writer", "janitor": "janitor"}
"""Handler -> the bundle it is in."""
ENVIRONMENT = {
    "AWS_DEFAULT_REGION": "eu-west-1",
    "AWS_ACCESS_KEY_ID": "none",
    "AWS_SECRET_ACCESS_KEY": "none",
    "CONNECTOR_AWS__DELIVERY_STREAM": "stream",
    "CONNECTOR_AWS__JOURNAL": "s3://bucket/journal",
    "CONNECTOR_AWS__REFUSED": "s3://bucket/refused",
    "CONNECTOR_AWS__QUEUE_URL": "https://sqs.eu-west-1.amazonaws.com/1/queue",
    "CONNECTOR_CONFIG": "connector.yaml",
    "CONNECTOR_DATA": "s3://bucket/lake",
    "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
    "PRIVACY_KEY": "key",
    "WEB_SECRET": "secret",
}
MB = 1_000_000


@pytest.fixture(scope="module")
def runtime(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with boto3 and what it needs, and nothing else."""
    folder = tmp_path_factory.mktemp("runtime")
    for name in RUNTIME:
        found = find_spec(name)
        assert found is not None
        assert found.origin is not None
        place = Path(found.origin)
        if place.name == "__init__.py":
            (folder / name).symlink_to(place.parent)
        else:
            shutil.copy(place, folder / place.name)
    return folder


@pytest.fixture(scope="module")
def here() -> Path:
    require(find_spec("pip"), "pip, to fetch wheels")
    return bundles(HERE)


@pytest.fixture(scope="module")
def probed(here: Path, runtime: Path, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Any]:
    """Handler -> what it imported and did, each in a bare interpreter."""
    return {handler: probe(here / bundle, runtime, handler, tmp_path_factory.mktemp(handler))
            for handler, bundle in HANDLERS.items()}  # fmt: skip


def probe(bundle: Path, runtime: Path, handler: str, work: Path) -> Any:
    script = Path(__file__).with_name("bundle_probe.py")
    ran = subprocess.run(
        [sys.executable, "-I", "-S", script, bundle, runtime, f"connector.aws.{handler}", work],
        cwd=bundle, env={**ENVIRONMENT, "CONNECTOR_JOURNAL": str(work / "journal")}, capture_output=True,
        text=True, timeout=120, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    *said, told = ran.stdout.splitlines()
    return {**json.loads(told), "said": "\n".join(said)}


@pytest.mark.parametrize("handler", HANDLERS)
def test_a_handler_imports_nothing_from_outside_its_bundle_and_the_runtime(probed, handler):
    print(f"{handler}: imported in {probed[handler]['seconds'] * 1_000:.0f} ms")

    assert probed[handler]["strangers"] == []


def test_the_receiver_takes_a_signed_request_with_its_bundle_alone_and_asks_for_it_again_without_a_journal(
    probed,
):
    assert probed["receiver"]["did"] == 503
    assert '"CannotKeep":[1.0]' in probed["receiver"]["said"]


def test_the_writer_writes_rows_with_its_bundle_alone(probed):
    assert probed["writer"]["did"] == 9


def test_the_reconciliation_reads_its_settings_with_the_bundle_of_the_writer(probed):
    assert probed["reconcile"]["did"] == "s3://bucket/journal"


def test_the_janitor_merges_files_with_its_bundle_alone(probed):
    assert probed["janitor"]["did"] == {"days": 1, "failures": 0}


def test_no_bundle_has_what_the_runtime_brings(here):
    held = {
        bundle: {path.name for path in (here / bundle).iterdir()} & {*RUNTIME, "six.py"} for bundle in BUNDLES
    }

    assert held == {"receiver": set(), "writer": set(), "janitor": set()}


def test_the_receiver_has_no_table_library_and_the_writer_no_engine(here):
    assert not (here / "receiver" / "pyarrow").exists()
    assert not (here / "receiver" / "duckdb").exists()
    assert not (here / "writer" / "duckdb").exists()


@pytest.mark.parametrize(
    ("target", "limits"),
    [
        (HERE, {"receiver": 35, "writer": 130, "janitor": 250}),
        (ARM, {"receiver": 35, "writer": 160, "janitor": 250}),
    ],
    ids=lambda each: each.architecture if isinstance(each, Target) else "",
)
def test_bundles_stay_below_their_sizes(target, limits):
    require(find_spec("pip"), "pip, to fetch wheels")
    sizes = {bundle: size_of(bundles(target) / bundle) for bundle in BUNDLES}
    print({bundle: f"{size / MB:.1f} MB" for bundle, size in sizes.items()})

    assert {bundle: size for bundle, size in sizes.items() if size >= limits[bundle] * MB} == {}


def test_libraries_for_arm_are_libraries_for_arm():
    machines = {library.read_bytes()[18:20] for library in bundles(ARM).rglob("*.so*")}

    assert machines == {b"\xb7\x00"}


def test_the_same_files_give_the_same_zip_whenever_they_were_written(tmp_path):
    for name, order in (("first", ("b", "a")), ("second", ("a", "b"))):
        for file in order:
            path = tmp_path / name / "module" / f"{file}.py"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(file, encoding="utf-8")
        zip_folder(tmp_path / name, tmp_path / f"{name}.zip")

    assert (tmp_path / "first.zip").read_bytes() == (tmp_path / "second.zip").read_bytes()


def test_a_configuration_travels_with_its_mapping_and_schemas_where_the_bundle_has_them(tmp_path):
    mapping = tmp_path / "own.yaml"
    schemas = tmp_path / "checks"

    moved = Configuration.of("mapping: /home/own.yaml\nretention_days: 5\n", mapping, mapping, schemas)

    assert moved.text == "mapping: mapping/own.yaml\nretention_days: 5\nschemas: schemas\n"


def test_a_configuration_without_files_of_its_own_travels_as_it_is(tmp_path):
    text = "# who may send\nsources: {web: {unsigned: true}}\n"

    assert Configuration.of(text, None, tmp_path / "ecommerce.yaml", None).text == text


def test_a_bundle_that_lambda_would_refuse_is_refused(here, tmp_path, monkeypatch):
    monkeypatch.setattr("connector.infra.bundles.LIMIT_BYTES", MB)
    configuration = Configuration("", Path(__file__), False, None)
    (wheels,) = here.parent.glob(f"wheels-{HERE.name}-*")

    with pytest.raises(BundleTooLarge, match="receiver"):
        assemble(
            "receiver", tmp_path / "x", pins=pins(), wheels=wheels, target=HERE, configuration=configuration
        )


def test_a_missing_wheel_is_named(tmp_path):
    with pytest.raises(PackagesFailed, match=r"pyarrow 26\.0\.1"):
        wheel_of("pyarrow", "26.0.1", tmp_path)


def test_what_is_no_library_is_not_stripped():
    assert stripped(b"print()") == b"print()"
    assert stripped(b"\x7fELF") == b"\x7fELF"


def test_a_stripped_library_is_shorter_and_stays_when_stripped_again(here):
    (library,) = (here / "receiver" / "pydantic_core").glob("*.so")
    content = library.read_bytes()

    assert stripped(content + b"symbols") == content
    assert stripped(content) == content


def test_only_who_reads_tables_has_s3_inside_pyarrow():
    kept = {bundle: is_kept("pyarrow/libarrow_s3.so.2600", bundle) for bundle in BUNDLES}

    assert kept == {"receiver": False, "writer": False, "janitor": True}
