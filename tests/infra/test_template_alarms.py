"""The alarms watch figures that are reported, and go off where they should."""

from __future__ import annotations

import ast
import json
import re

import pytest
from infra.template_reading import PARAMETERS, RESOURCES, ROOT, of_type

from connector.aws import figures
from connector.infra.alarms import ALARMS, NAMESPACE, Alarm


def emitted(service: str) -> set[str]:
    """Names of figures in the code of one function."""
    files = {"receiver": ("receiver", "invocations", "outcomes")}.get(service, (service,))
    found: set[str] = set()
    for name in files:
        path = ROOT / "connector" / "aws" / f"{name}.py"
        texts = (node.value for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
                 if isinstance(node, ast.Constant) and isinstance(node.value, str))  # fmt: skip
        found |= {text for text in texts if re.fullmatch(r"([A-Z][a-z0-9]+)+", text)}
    return found


OWN = [alarm for alarm in ALARMS if alarm.namespace == NAMESPACE]


def service_of(alarm: Alarm) -> str:
    """``receiver`` of ``${AWS::StackName}-receiver``."""
    (dimension,) = alarm.dimensions.values()
    return dimension.text.removeprefix("${AWS::StackName}-")


@pytest.mark.parametrize("alarm", OWN, ids=lambda alarm: alarm.name)
def test_an_alarm_watches_a_figure_that_the_function_reports(alarm):
    assert alarm.metric in emitted(service_of(alarm))


@pytest.mark.parametrize("alarm", OWN, ids=lambda alarm: alarm.name)
def test_it_is_reported_under_the_service_that_the_alarm_watches(alarm):
    """The name has the stack in it, so that two deployments of an account do not ring for each other."""
    function = RESOURCES[f"{service_of(alarm).capitalize()}Function"]["Properties"]
    name = function["Environment"]["Variables"]["POWERTOOLS_SERVICE_NAME"]

    assert figures.NAMESPACE == NAMESPACE
    assert name == {"Fn::Sub": alarm.dimensions["service"].text}


def test_a_function_reports_under_the_name_that_its_environment_gives(monkeypatch, capsys):
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "lake-writer")
    of_the_writer = figures.Figures("writer")
    of_the_writer.add("WriterErrors")
    of_the_writer.emit()

    line = json.loads(capsys.readouterr().out)

    assert (line["service"], line["WriterErrors"]) == ("lake-writer", [1.0])


def test_the_alarms_are_there_and_reach_a_person():
    alarms = of_type("AWS::CloudWatch::Alarm")

    assert alarms.keys() == {alarm.name for alarm in ALARMS}
    for each in alarms.values():
        assert each["AlarmActions"] == [{"Ref": "AlarmTopic"}]
        assert each["TreatMissingData"] == "notBreaching"
        assert each["AlarmDescription"]


@pytest.mark.parametrize(
    ("name", "metric", "statistic", "comparison", "threshold"),
    [
        (
            "DeadLettersAlarm",
            "ApproximateNumberOfMessagesVisible",
            "Maximum",
            "GreaterThanOrEqualToThreshold",
            1,
        ),
        ("OldestMessageAlarm", "ApproximateAgeOfOldestMessage", "Maximum", "GreaterThanThreshold", 900),
        ("SignatureRefusedAlarm", "SignatureRefused", "Sum", "GreaterThanOrEqualToThreshold", 1),
        ("WriterErrorsAlarm", "WriterErrors", "Sum", "GreaterThanOrEqualToThreshold", 1),
        ("WriterFailedAlarm", "Errors", "Sum", "GreaterThanOrEqualToThreshold", 1),
        ("JournalDelayAlarm", "JournalToTableDelaySeconds", "Maximum", "GreaterThanThreshold", 900),
        ("Url4xxAlarm", "Url4xxCount", "Sum", "GreaterThanOrEqualToThreshold", 1),
        ("DeliveryFreshnessAlarm", "DeliveryToS3.DataFreshness", "Maximum", "GreaterThanThreshold", 900),
        ("DeliveryFailedAlarm", "DeliveryToS3.Success", "Minimum", "LessThanThreshold", 1),
        ("OpenCapturesAlarm", "OpenCaptures", "Maximum", "GreaterThanOrEqualToThreshold", 1),
        ("ReceiverThrottledAlarm", "Throttles", "Sum", "GreaterThanOrEqualToThreshold", 1),
    ],
)
def test_an_alarm_goes_off_where_it_should(name, metric, statistic, comparison, threshold):
    alarm = of_type("AWS::CloudWatch::Alarm")[name]
    limit = alarm["Threshold"]

    assert (alarm["MetricName"], alarm["Statistic"], alarm["ComparisonOperator"]) == (
        metric,
        statistic,
        comparison,
    )
    assert (PARAMETERS[limit["Ref"]]["Default"] if isinstance(limit, dict) else limit) == threshold


def test_the_receiver_is_slow_before_segment_gives_up():
    alarm = of_type("AWS::CloudWatch::Alarm")["ReceiverSlowAlarm"]

    assert alarm["ExtendedStatistic"] == "p99"
    assert PARAMETERS[alarm["Threshold"]["Ref"]]["Default"] < 5_000
