"""The template is what the declarations give, lints, translates, and is wired as it should be."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Mapping
from typing import Any

import pytest
from infra.template_reading import (
    FUNCTIONS,
    PARAMETERS,
    RESOURCES,
    ROLES,
    ROOT,
    TEMPLATE,
    TEXT,
    of_type,
    references,
)

from connector.config import load_settings
from connector.infra import yaml_tags
from connector.infra.template import render, shipped, with_code, with_defaults
from connector.infra.translate import lint, translate
from connector.infra.validate import contradictions, safe_batch, values_of
from connector.infra.views import FIRST_QUERY
from connector.tables import TABLES


@pytest.fixture(scope="module")
def translated() -> Mapping[str, Any]:
    return json.loads(translate(TEXT))["Resources"]


def test_the_committed_template_is_what_the_declarations_give():
    assert render(TEXT, TABLES) == TEXT


def test_it_lints_without_a_warning():
    assert lint(TEXT) == []


def test_what_is_ignored_by_the_linter_is_one_rule_in_one_place():
    ignored = {name: each["Metadata"] for name, each in RESOURCES.items() if "Metadata" in each}

    assert ignored == {"ReceiverDomain": {"cfn-lint": {"config": {"ignore_checks": ["W1030"]}}}}


def test_it_translates_into_functions_with_their_code_and_one_event_source(translated):
    kinds = [each["Type"] for each in translated.values()]
    bundles = {
        name: each["Properties"]["Code"]["S3Key"]
        for name, each in translated.items() if each["Type"] == "AWS::Lambda::Function"
    }  # fmt: skip

    assert not [kind for kind in kinds if kind.startswith("AWS::Serverless")]
    assert kinds.count("AWS::Lambda::EventSourceMapping") == 1
    assert bundles == {
        "ReceiverFunction": "receiver.zip",
        "WriterFunction": "writer.zip",
        "ReconcileFunction": "writer.zip",
        "JanitorFunction": "janitor.zip",
    }


def test_every_role_is_written_out(translated):
    assert {name for name, each in translated.items() if each["Type"] == "AWS::IAM::Role"} == set(ROLES)


def test_the_handlers_exist():
    for function in FUNCTIONS:
        module, _, name = RESOURCES[f"{function}Function"]["Properties"]["Handler"].rpartition(".")
        tree = ast.parse((ROOT / module.replace(".", "/")).with_suffix(".py").read_text(encoding="utf-8"))
        names = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
        names |= {target.id for node in tree.body if isinstance(node, ast.Assign)
                  for target in node.targets if isinstance(target, ast.Name)}  # fmt: skip
        assert name in names


def test_every_parameter_is_used_shown_in_a_group_and_has_a_default_and_a_description():
    used = references(
        {key: value for key, value in TEMPLATE.items() if key not in ("Parameters", "Metadata")}
    )
    groups = TEMPLATE["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    shown = [name for group in groups for name in group["Parameters"]]

    assert PARAMETERS.keys() - used == set()
    assert sorted(shown) == sorted(PARAMETERS)
    assert [
        name for name, each in PARAMETERS.items() if not ("Default" in each and each.get("Description"))
    ] == []


def test_every_number_is_bounded_and_its_default_within():
    for name, each in PARAMETERS.items():
        if each["Type"] == "Number":
            allowed = each.get("AllowedValues")
            assert allowed or each["MinValue"] < each["MaxValue"], name
            assert (
                each["Default"] in allowed
                if allowed
                else each["MinValue"] <= each["Default"] <= each["MaxValue"]
            )


@pytest.mark.parametrize("name", [name for name, each in PARAMETERS.items() if "AllowedPattern" in each])
def test_text_parameters_allow_their_own_default(name):
    assert re.fullmatch(PARAMETERS[name]["AllowedPattern"], PARAMETERS[name]["Default"])


def test_every_condition_is_used_and_every_name_is_there():
    known = {*RESOURCES, *PARAMETERS, *TEMPLATE["Conditions"]}
    used = references({key: TEMPLATE[key] for key in ("Globals", "Resources", "Outputs", "Conditions")})
    local = {"More", "Events"}

    assert TEMPLATE["Conditions"].keys() - used == set()
    assert {name for name in used if not name.startswith("AWS")} - known - local == set()


def test_the_defaults_do_not_contradict_each_other():
    assert contradictions(values_of(TEMPLATE, {})) == []


def test_the_safe_batch_is_looked_up_for_each_size_that_may_be_chosen():
    table = {int(size): int(row["Events"]) for size, row in TEMPLATE["Mappings"]["SafeBatch"].items()}

    assert list(table) == PARAMETERS["LargestEventBytes"]["AllowedValues"]
    assert table == {size: safe_batch(size) for size in table}


def test_the_outputs_lead_on():
    outputs = TEMPLATE["Outputs"]

    assert outputs["WebhookUrl"]["Value"] == {"Fn::Sub": "${ReceiverUrl.FunctionUrl}webhook/${SourceName}"}
    assert "5,000,000" in outputs["SafeBatchSize"]["Value"]["Fn::Sub"][0]
    assert outputs["FirstQuery"]["Value"]["Fn::Sub"].replace("${DatabaseName}.", "") == FIRST_QUERY


def test_firehose_changes_nothing_of_a_frame():
    stream = RESOURCES["JournalStream"]["Properties"]["ExtendedS3DestinationConfiguration"]

    assert stream["CompressionFormat"] == "GZIP"
    assert stream["ProcessingConfiguration"] == {"Enabled": False}
    assert stream["Prefix"].startswith("journal/firehose/")
    assert not stream["ErrorOutputPrefix"].startswith("journal/")


def test_what_appears_in_the_journal_and_nothing_else_is_told_to_the_writer():
    (told,) = RESOURCES["DataBucket"]["Properties"]["NotificationConfiguration"]["QueueConfigurations"]

    assert told["Filter"]["S3Key"]["Rules"] == [{"Name": "prefix", "Value": "journal/"}]
    assert RESOURCES["DataBucket"]["DependsOn"] == "CaptureQueuePolicy"


def test_only_this_bucket_may_send_notifications():
    sends, _ = RESOURCES["CaptureQueuePolicy"]["Properties"]["PolicyDocument"]["Statement"]
    planned = RESOURCES["DataBucket"]["Properties"]["BucketName"]["Fn::If"]
    sources = sends["Condition"]["ArnEquals"]["aws:SourceArn"]["Fn::If"]

    assert sends["Condition"]["StringEquals"] == {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
    assert sources[0] == planned[0]
    assert sources[1]["Fn::Sub"].endswith(f":::{planned[1]['Fn::Sub']}")
    assert sources[2]["Fn::Sub"].endswith(":::${BucketName}")


def test_one_message_of_a_batch_may_fail_by_itself(translated):
    mapping = translated["WriterFunctionCaptures"]["Properties"]

    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping["ScalingConfig"] == {"MaximumConcurrency": {"Ref": "WriterMaximumConcurrency"}}


def test_anybody_may_call_the_url_through_both_permissions_that_it_needs():
    permissions = of_type("AWS::Lambda::Permission")

    assert permissions["ReceiverUrlPermission"]["Action"] == "lambda:InvokeFunctionUrl"
    assert permissions["ReceiverUrlPermission"]["FunctionUrlAuthType"] == "NONE"
    assert permissions["ReceiverUrlInvokePermission"]["Action"] == "lambda:InvokeFunction"
    assert permissions["ReceiverUrlInvokePermission"]["InvokedViaFunctionUrl"] is True


def test_reconciliation_and_janitor_run_one_at_a_time_and_are_not_repeated_by_lambda():
    for function in ("Reconcile", "Janitor"):
        properties = RESOURCES[f"{function}Function"]["Properties"]
        assert properties["ReservedConcurrentExecutions"]["Fn::If"][1] == 1
        assert properties["EventInvokeConfig"] == {"MaximumRetryAttempts": 0}


GIVEN = {
    "CONNECTOR_DATA": "s3://bucket/lake",
    "CONNECTOR_S3__KMS_KEY_ID": "arn:aws:kms:eu-west-1:1:key/1",
    "CONNECTOR_AWS__JOURNAL": "s3://bucket/journal",
    "CONNECTOR_AWS__REFUSED": "s3://bucket/refused",
    "CONNECTOR_AWS__DELIVERY_STREAM": "stream",
    "CONNECTOR_AWS__QUEUE_URL": "https://sqs/1/queue",
}
"""What the variables hold that the template composes; the others come from parameters or stand there."""


@pytest.mark.parametrize("function", FUNCTIONS)
def test_the_variables_of_a_function_are_settings(function, monkeypatch):
    monkeypatch.setenv("CONNECTOR_CONFIG", str(shipped("connector.yaml")))
    shared = TEMPLATE["Globals"]["Function"]["Environment"]["Variables"]
    own = RESOURCES[f"{function}Function"]["Properties"]["Environment"]["Variables"]
    for name, value in {**shared, **own}.items():
        if name in ("CONNECTOR_CONFIG", "CONNECTOR_SECRETS", "POWERTOOLS_SERVICE_NAME"):
            continue
        parameter = PARAMETERS.get(value.get("Ref")) if isinstance(value, dict) else {"Default": value}
        monkeypatch.setenv(name, str(parameter["Default"]) if parameter else GIVEN[name])

    assert load_settings().sources.keys() == {"web"}


def test_code_lies_where_it_was_put():
    text = with_code(TEXT, lambda bundle: f"s3://artifacts/abc/{bundle}")

    assert re.findall(r"CodeUri: (\S+)", text) == [
        "s3://artifacts/abc/receiver.zip",
        "s3://artifacts/abc/writer.zip",
        "s3://artifacts/abc/writer.zip",
        "s3://artifacts/abc/janitor.zip",
    ]


def test_defaults_can_be_others():
    parameters = yaml_tags.load(with_defaults(TEXT, {"Architecture": "x86_64", "SourceName": "shop"}))[
        "Parameters"
    ]

    assert (parameters["Architecture"]["Default"], parameters["SourceName"]["Default"]) == ("x86_64", "shop")
    assert parameters["Runtime"]["Default"] == "python3.13"
