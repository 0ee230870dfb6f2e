"""What the template keeps and for how long, and who may do what: each role just what its code does."""

from __future__ import annotations

import json

import pytest
from infra.template_reading import RESOURCES, ROLES, granted, listed, of_type, statements


def test_data_keys_and_secrets_stay_when_the_stack_is_deleted():
    """But for a first deployment that failed: what it left would make the second one fail."""
    kept = {name for name, each in RESOURCES.items() if each.get("DeletionPolicy") == "RetainExceptOnCreate"}

    assert kept == {"DataBucket", "DataBucketPolicy", "DataKey", "WebhookSecret", "PrivacySecret"}
    assert all(RESOURCES[name]["UpdateReplacePolicy"] == "Retain" for name in kept)


@pytest.mark.parametrize("role", ["WriterRole", "JanitorRole"])
def test_records_changes_and_what_is_saved_can_be_removed_by_nobody(role):
    """A journal object leaves because its record is there, so no record may ever leave."""
    (policy,) = RESOURCES[role]["Properties"]["Policies"]
    removals = [
        resource["Fn::Sub"].removeprefix("${DataBucket.Arn}/lake/")
        for statement in policy["PolicyDocument"]["Statement"]
        if statement.get("Action") == "s3:DeleteObject"
        for resource in statement["Resource"]
    ]

    never = ("ledger/files", "ledger/changes", "saved", "*")

    assert removals
    assert not [name for name in removals if name.startswith(never)]


def test_no_lifecycle_rule_ends_what_lies_in_the_journal_or_the_lake():
    rules = RESOURCES["DataBucket"]["Properties"]["LifecycleConfiguration"]["Rules"]
    ending = {
        rule["Prefix"]
        for rule in rules
        if {"ExpirationInDays", "ExpirationDate", "Transitions"} & rule.keys()
    }
    everywhere = [rule for rule in rules if "Prefix" not in rule]

    assert ending == {"refused/", "journal-errors/", "athena-results/"}
    assert [rule.keys() - {"Id", "Status"} for rule in everywhere] == [
        {"AbortIncompleteMultipartUpload"},
        {"ExpiredObjectDeleteMarker", "NoncurrentVersionExpiration"},
    ]


def test_the_bucket_is_private_encrypted_and_answers_over_tls_only():
    bucket = RESOURCES["DataBucket"]["Properties"]
    encryption = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"][0]
    (only_tls,) = RESOURCES["DataBucketPolicy"]["Properties"]["PolicyDocument"]["Statement"]

    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert bucket["OwnershipControls"] == {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    assert encryption["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == "aws:kms"
    assert encryption["BucketKeyEnabled"] is True
    assert only_tls["Effect"] == "Deny"
    assert only_tls["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_queues_secrets_logs_and_topic_are_encrypted_under_the_own_key():
    for kind, key in (
        ("AWS::SQS::Queue", "KmsMasterKeyId"),
        ("AWS::SecretsManager::Secret", "KmsKeyId"),
        ("AWS::Logs::LogGroup", "KmsKeyId"),
        ("AWS::SNS::Topic", "KmsMasterKeyId"),
    ):
        found = of_type(kind)
        assert found
        assert all(each[key]["Fn::If"][0] == "OwnKey" for each in found.values()), kind


def test_secrets_are_made_by_aws_and_stand_nowhere():
    for secret in of_type("AWS::SecretsManager::Secret").values():
        assert secret["GenerateSecretString"]["PasswordLength"] >= 32
        assert "SecretString" not in secret


def test_every_function_and_the_stream_log_into_a_group_with_an_end():
    groups = of_type("AWS::Logs::LogGroup")
    used = {
        each["LoggingConfig"]["LogGroup"]["Ref"] for each in of_type("AWS::Serverless::Function").values()
    }  # fmt: skip

    assert all(group["RetentionInDays"] == {"Ref": "LogDays"} for group in groups.values())
    assert used | {"JournalStreamLogs"} == groups.keys()


@pytest.mark.parametrize("role", ROLES)
def test_no_role_may_do_everything_or_touch_everything(role):
    for statement in statements(role):
        assert statement["Effect"] == "Allow"
        assert not [action for action in listed(statement["Action"]) if "*" in action]
        for resource in listed(statement["Resource"]):
            text = resource.get("Fn::Sub", "") if isinstance(resource, dict) else resource
            assert text != "*"
            assert text.count("*") <= 1
            assert not text or text[-1] != "*" or text[-2] in "/:"


@pytest.mark.parametrize("role", ROLES)
def test_a_role_belongs_to_one_service(role):
    (trusted,) = RESOURCES[role]["Properties"]["AssumeRolePolicyDocument"]["Statement"]

    service = "firehose" if role == "JournalStreamRole" else "lambda"
    assert trusted["Principal"] == {"Service": f"{service}.amazonaws.com"}
    assert "ManagedPolicyArns" not in RESOURCES[role]["Properties"]


LOG = {"logs:CreateLogStream", "logs:PutLogEvents"}
KEY = {"kms:GenerateDataKey", "kms:Decrypt"}
SECRET = {"secretsmanager:GetSecretValue"}
QUEUE = {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"}
DUE = {"s3:ListBucket", "s3:GetObject", "s3:DeleteObject"}
LAKE = {"s3:ListBucket", "s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"}


@pytest.mark.parametrize(
    ("role", "actions"),
    [
        ("ReceiverRole", {*LOG, *KEY, *SECRET, "firehose:PutRecord", "s3:PutObject"}),
        ("WriterRole", {*LOG, *KEY, *SECRET, *LAKE, *QUEUE}),
        ("ReconcileRole", {*LOG, *KEY, *SECRET, *DUE, "sqs:SendMessage"}),
        ("JanitorRole", {*LOG, *KEY, *SECRET, *LAKE}),
    ],
)  # fmt: skip
def test_a_function_may_do_what_its_code_does_and_no_more(role, actions):
    assert granted(role) == actions


@pytest.mark.parametrize(
    ("role", "places"),
    [
        ("ReceiverRole", {"journal/direct/*", "refused/*"}),
        ("WriterRole", {"lake/*"}),
        ("ReconcileRole", set()),
        ("JanitorRole", {"lake/*"}),
        ("JournalStreamRole", {"journal/firehose/*", "journal-errors/*"}),
    ],
)
def test_a_role_writes_only_where_it_has_to(role, places):
    found = {
        resource["Fn::Sub"].removeprefix("${DataBucket.Arn}/")
        for statement in statements(role) if "s3:PutObject" in listed(statement["Action"])
        for resource in listed(statement["Resource"])
    }  # fmt: skip

    assert found == places


def test_only_the_reconciliation_deletes_from_the_journal():
    deleting = {
        role for role in ROLES for statement in statements(role)
        if "s3:DeleteObject" in listed(statement["Action"]) and "journal" in json.dumps(statement["Resource"])
    }  # fmt: skip

    assert deleting == {"ReconcileRole"}


def test_the_key_is_used_by_services_for_this_account_only():
    account, s3, *services = RESOURCES["DataKey"]["Properties"]["KeyPolicy"]["Statement"]

    assert account["Principal"] == {"AWS": {"Fn::Sub": "arn:${AWS::Partition}:iam::${AWS::AccountId}:root"}}
    assert s3["Principal"] == {"Service": "s3.amazonaws.com"}
    assert all("AWS::AccountId" in json.dumps(statement["Condition"]) for statement in services)
    assert not [action for statement in (s3, *services) for action in statement["Action"] if "*" in action]
