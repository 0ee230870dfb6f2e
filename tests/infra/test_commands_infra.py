"""``connector infra``: what a person types, sees, and gets for an exit code."""

from __future__ import annotations

import json
import sys
from importlib.util import find_spec
from pathlib import Path
from zipfile import ZipFile

import pytest
from click.testing import CliRunner, Result
from conftest import require
from infra.building import HERE, zips

from connector.cli import main
from connector.commands import infra_package
from connector.commands.infra_package import configuration_of, notes_of
from connector.config import load_settings
from connector.infra import packing, yaml_tags
from connector.infra.packing import Packed
from connector.infra.requirements import RECEIVER, pins
from connector.infra.template import shipped
from connector.infra.validate import contradictions, safe_batch, values_of
from connector.infra.wheels import PackagesFailed, Target, fetch

OWN = """\
sources:
  shop:
    secrets: [env:SHOP_SECRET]
    second_header: {name: X-Key, values: [env:SHOP_KEY]}
columns:
  events:
    gift_note: {path: properties.gift_note}
privacy_key: env:PRIVACY_KEY
"""


@pytest.fixture
def own(tmp_path: Path) -> Path:
    path = tmp_path / "own.yaml"
    path.write_text(OWN, encoding="utf-8")
    return path


def infra(*arguments: object) -> Result:
    """A command tells child processes of its configuration; here the next one has none again."""
    runner = CliRunner(env={"CONNECTOR_CONFIG": None})
    return runner.invoke(main, ["infra", *map(str, arguments)], prog_name="connector")


def test_the_shipped_template_is_printed_and_up_to_date():
    printed = infra("render")

    assert printed.stdout == shipped("template.yaml").read_text(encoding="utf-8")
    assert infra("render", "--check").exit_code == 0


def test_promoted_columns_are_columns_in_glue_and_their_absence_is_noticed(own, tmp_path):
    path = tmp_path / "template.yaml"

    assert infra("render", "--config", own, "--out", path).exit_code == 0
    table = yaml_tags.load(path.read_text(encoding="utf-8"))["Resources"]["EventsTable"]["Properties"]
    assert table["TableInput"]["StorageDescriptor"]["Columns"][-1] == {
        "Name": "gift_note", "Type": "string", "Comment": "From properties.gift_note, by configuration"
    }  # fmt: skip
    assert infra("render", "--config", own, "--out", path, "--check").exit_code == 0
    assert infra("render", "--out", path, "--check").exit_code == 1


def test_plain_cloudformation_has_no_transform_left(tmp_path):
    path = tmp_path / "template.json"

    assert infra("render", "--format", "cloudformation", "--out", path).exit_code == 0
    template = json.loads(path.read_text(encoding="utf-8"))
    assert "Transform" not in template
    assert "AWS::Lambda::Function" in {each["Type"] for each in template["Resources"].values()}


def test_a_wrong_configuration_is_wrong_usage(tmp_path):
    path = tmp_path / "wrong.yaml"
    path.write_text("sorces: {}\n", encoding="utf-8")

    ran = infra("render", "--config", path)

    assert ran.exit_code == 2
    assert "did you mean 'sources'" in ran.stderr


def test_the_shipped_template_is_valid_and_the_safe_batch_is_named():
    ran = infra("validate")

    assert ran.exit_code == 0
    assert "at most 152 events" in ran.stdout
    assert "✗" not in ran.stdout


def test_the_safe_batch_follows_the_largest_event_and_a_price_is_noted():
    ran = infra("validate", "--largest-event-bytes", 20_000, "--parameter", "FirstDay=2020-01-01")

    assert ran.exit_code == 0
    assert "at most 250 events" in ran.stdout
    assert "! FirstDay" in ran.stdout


def test_a_contradiction_and_an_event_that_fits_into_no_request_are_faults():
    ran = infra("validate", "--largest-event-bytes", 6_000_000, "--parameter", "WriterTimeoutSeconds=600")

    assert ran.exit_code == 1
    assert "✗ events of 6,000,000 bytes do not fit" in ran.stdout
    assert "✗ QueueVisibilitySeconds" in ran.stdout


def test_one_event_is_a_batch_as_long_as_it_fits():
    assert (safe_batch(5_000_000), safe_batch(5_000_001)) == (1, 0)


@pytest.mark.parametrize(
    ("parameter", "named"),
    [
        ("WriterTimeoutSeconds=600", "QueueVisibilitySeconds"),
        ("WriterMaximumConcurrency=50", "WriterReservedConcurrency"),
        ("BufferSeconds=900", "OpenAfterSeconds"),
        ("UnpackedMaxBytes=100000000", "UnpackedMaxBytes"),
        ("CompactTargetBytes=4000000000", "JanitorDiskMegabytes"),
    ],
)
def test_limits_that_contradict_each_other_are_faults(parameter, named):
    values = values_of(template(), dict([parameter.split("=")]))

    assert [finding.text.split(":")[0] for finding in contradictions(values) if finding.is_fault][:1] == [
        named
    ]


@pytest.mark.parametrize(
    ("parameter", "named"),
    [("GraceSeconds=60", "GraceSeconds"), ("FirstDay=2020-01-01", "FirstDay"),
     ("BufferMegabytes=128", None), ("WriterMemoryMegabytes=511", "WriterMemoryMegabytes")],
)  # fmt: skip
def test_limits_that_cost_something_are_noted_and_no_faults(parameter, named):
    found = contradictions(values_of(template(), dict([parameter.split("=")])))
    told = [(finding.is_fault, finding.text.split(":")[0]) for finding in found]

    assert told == ([(False, named)] if named else [])


def template():
    return yaml_tags.load(shipped("template.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("given", ["Nothing=1", "WriterTimeoutSeconds=soon", "WriterTimeoutSeconds"])
def test_a_parameter_that_is_none_is_wrong_usage(given):
    assert infra("validate", "--parameter", given).exit_code == 2


def test_what_the_linter_and_the_translator_find_is_told(tmp_path):
    path = tmp_path / "template.yaml"
    text = shipped("template.yaml").read_text(encoding="utf-8")
    path.write_text(text.replace("AWS::SQS::Queue\n", "AWS::SQS::Cue\n", 1), encoding="utf-8")

    ran = infra("validate", "--template", path)

    assert ran.exit_code == 1
    assert "AWS::SQS::Cue" in ran.stdout


def test_what_is_no_template_is_told(tmp_path):
    path = tmp_path / "template.yaml"
    path.write_text("a: [\n", encoding="utf-8")

    ran = infra("validate", "--template", path)

    assert ran.exit_code == 1
    assert "✗ " in ran.stdout


@pytest.mark.parametrize(
    ("module", "command"),
    [("cfnlint.api", "validate"), ("samtranslator.parser.parser", "render --format cloudformation")],
)
def test_without_the_extra_it_says_what_to_install(module, command, monkeypatch):
    monkeypatch.setitem(sys.modules, module, None)

    ran = infra(*command.split())

    assert ran.exit_code == 2
    assert "segment-lake-connector[infra]" in ran.stderr


def test_what_a_configuration_needs_at_deployment_is_said(own, monkeypatch):
    monkeypatch.setenv("CONNECTOR_CONFIG", str(own))

    assert notes_of(load_settings(), Target("arm64", "3.11")) == [
        "Python 3.11: the template takes 3.12 and 3.13 only",
        "SHOP_KEY, SHOP_SECRET: put into a secret of Secrets Manager, as a JSON object, and name its ARN in "
        "the parameter MoreSecretArns",
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (OWN.replace("env:SHOP_KEY", "file:/etc/key"), "file:/etc/key: a function has no such file"),
        (OWN.replace("env:PRIVACY_KEY", "env:MY_KEY"), "privacy_key: on AWS it is env:PRIVACY_KEY"),
        ("columns: {}\n", "sources: none is configured"),
    ],
)
def test_what_no_deployment_could_make_work_is_refused_before_anything_is_built(text, said, tmp_path):
    path = tmp_path / "wrong.yaml"
    path.write_text(text, encoding="utf-8")

    ran = infra("package", "--config", path, "--out", tmp_path / "build")

    assert (ran.exit_code, said in ran.stderr) == (2, True), ran.stderr
    assert not (tmp_path / "build").exists()


def test_every_function_is_given_the_privacy_key_of_the_template_whatever_its_configuration_says():
    """Else another configuration would find the key of the first one gone, and write nothing."""
    variables = yaml_tags.load(shipped("template.yaml").read_text(encoding="utf-8"))["Globals"]["Function"]

    assert variables["Environment"]["Variables"]["CONNECTOR_PRIVACY_KEY"] == infra_package.PRIVACY_KEY


def test_own_mapping_and_schemas_travel_with_the_bundles(own, tmp_path, monkeypatch):
    mapping, schemas = tmp_path / "mine.yaml", tmp_path / "checks"
    schemas.mkdir()
    own.write_text(f"mapping: {mapping}\nschemas: {schemas}\n", encoding="utf-8")
    monkeypatch.setenv("CONNECTOR_CONFIG", str(own))

    travels = configuration_of(load_settings(), own)

    assert travels.text == "mapping: mapping/mine.yaml\nschemas: schemas\n"
    assert (travels.mapping, travels.own_mapping, travels.schemas) == (mapping, True, schemas)


@pytest.mark.slow
def test_bundles_go_into_a_bucket_under_their_content_and_the_template_says_where(
    own, tmp_path, moto, monkeypatch
):
    """The bundles are those of the other tests: what makes them is tested there."""
    require(find_spec("pip"), "pip, to fetch wheels")
    for name, value in moto.environment.items():
        monkeypatch.setenv(name, value)
    ready = [Packed(path.stem, path, 1, path.stat().st_size) for path in zips().values()]
    monkeypatch.setattr(infra_package, "package", lambda *_: ready)
    given = ("package", "--config", own, "--arch", "x86_64", "--python", HERE.python, "--out", tmp_path,
             "--bucket", moto.bucket, "--prefix", "code/")  # fmt: skip

    ran = infra(*given)

    assert ran.exit_code == 0, ran.stderr
    packaged = yaml_tags.load((tmp_path / "packaged.yaml").read_text(encoding="utf-8"))
    code = {each["Properties"]["CodeUri"] for each in packaged["Resources"].values()
            if each["Type"] == "AWS::Serverless::Function"}  # fmt: skip
    listed = moto.client.list_objects_v2(Bucket=moto.bucket, Prefix="code/")["Contents"]
    assert code == {f"s3://{moto.bucket}/{entry['Key']}" for entry in listed}
    assert len(code) == 3
    assert packaged["Parameters"]["Architecture"]["Default"] == "x86_64"
    assert packaged["Parameters"]["SourceName"]["Default"] == "shop"
    assert "aws cloudformation deploy" in ran.stderr
    assert "--parameter-overrides Architecture=x86_64" in ran.stderr


@pytest.mark.slow
def test_a_bucket_that_is_not_there_is_said(own, tmp_path, moto, monkeypatch):
    require(find_spec("pip"), "pip, to fetch wheels")
    for name, value in moto.environment.items():
        monkeypatch.setenv(name, value)
    path = zips()["receiver.zip"]
    monkeypatch.setattr(infra_package, "package", lambda *_: [Packed("receiver", path, 1, 1)])

    ran = infra("package", "--config", own, "--out", tmp_path, "--bucket", "nobody-has-this")

    assert ran.exit_code == 1
    assert "nobody-has-this" in ran.stderr
    assert not (tmp_path / "packaged.yaml").exists()


@pytest.mark.slow
def test_packaging_fetches_wheels_and_says_what_came_of_them(own, tmp_path, monkeypatch):
    """The smallest bundle; the others differ in packages alone."""
    require(find_spec("pip"), "pip, to fetch wheels")
    monkeypatch.setattr(packing, "BUNDLES", {"receiver": RECEIVER})
    monkeypatch.setattr(packing, "pins", lambda: {name: pins()[name] for name in RECEIVER})
    out = tmp_path / "build"

    ran = infra("package", "--config", own, "--arch", "x86_64", "--python", HERE.python, "--out", out)

    assert ran.exit_code == 0, ran.stderr
    assert [path.name for path in out.iterdir()] == ["receiver.zip"]
    with ZipFile(out / "receiver.zip") as archive:
        assert archive.read("connector.yaml").decode() == OWN
        assert "connector/aws/receiver.py" in archive.namelist()
    assert "SHOP_SECRET" in ran.stderr
    assert f"for x86_64, Python {HERE.python}, compiled" in ran.stderr


def test_a_package_that_nobody_has_is_said_with_the_words_of_pip(tmp_path):
    require(find_spec("pip"), "pip, to fetch wheels")

    with pytest.raises(PackagesFailed, match="no wheels for arm64"):
        fetch({"orjson": "0.0.0"}, Target("arm64", "3.13"), tmp_path)


@pytest.mark.parametrize("python", ["3", "three", "2.7"])
def test_a_python_that_is_none_is_wrong_usage(python):
    assert infra("package", "--python", python).exit_code == 2
