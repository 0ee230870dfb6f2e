"""The alarms watch figures that are reported, and go off where they should."""

from __future__ import annotations

import ast
import re

import pytest
from infra.template_reading import PARAMETERS, ROOT, of_type

from connector.aws import figures
from connector.infra.alarms import ALARMS, NAMESPACE


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


@pytest.mark.parametrize("alarm", OWN, ids=lambda alarm: alarm.name)
def test_an_alarm_watches_a_figure_that_the_function_reports(alarm):
    (service,) = alarm.dimensions.values()

    assert alarm.metric in emitted(service)


def test_figures_are_reported_under_the_names_that_alarms_watch():
    assert figures.NAMESPACE == NAMESPACE
    for service in {service for alarm in OWN for service in alarm.dimensions.values()}:
        path = ROOT / "connector" / "aws" / f"{'invocations' if service == 'receiver' else service}.py"
        assert f'"{service}"' in path.read_text(encoding="utf-8")


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
