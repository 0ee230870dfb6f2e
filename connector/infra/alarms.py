"""The alarms of the template, declared once: which number of whom, and when it is a question for a person."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from connector.infra.yaml_tags import Flow, FlowList, Tagged

NAMESPACE = "SegmentLake"
"""Of the numbers that the functions report themselves, with the dimension ``service``."""
_HOURLY = 3_600


@dataclass(frozen=True, slots=True)
class Alarm:
    """One alarm. ``threshold`` and ``period`` are numbers or the names of parameters."""

    name: str
    """Logical id."""
    says: str
    """What is wrong and what it costs, for the mail that a person gets."""
    namespace: str
    metric: str
    dimensions: Mapping[str, Tagged | str]
    statistic: str
    threshold: int | str
    period: int | str = "AlarmPeriodSeconds"
    comparison: str = "GreaterThanOrEqualToThreshold"
    condition: str | None = None


def _function(of: str) -> Mapping[str, Tagged]:
    return {"FunctionName": Tagged("!Ref", f"{of}Function")}


def _service(of: str) -> Mapping[str, Tagged]:
    """As ``POWERTOOLS_SERVICE_NAME`` of the function says."""
    return {"service": Tagged("!Sub", f"${{AWS::StackName}}-{of}")}


def _queue(of: str) -> Mapping[str, Tagged]:
    return {"QueueName": Tagged("!GetAtt", f"{of}.QueueName")}


_STREAM = {"DeliveryStreamName": Tagged("!Ref", "JournalStream")}
_API = {"ApiId": Tagged("!Ref", "ReceiverHttpApi")}
_ABOVE = "GreaterThanThreshold"

ALARMS: tuple[Alarm, ...] = (
    Alarm(
        "Url4xxAlarm",
        "Requests got a 4xx answer: Segment drops what gets one, unless it is 429",
        "AWS/Lambda",
        "Url4xxCount",
        _function("Receiver"),
        "Sum",
        "Url4xxAlarmCount",
    ),
    Alarm(
        "Url5xxAlarm",
        "Requests got a 5xx answer: Segment sends them again, for four hours",
        "AWS/Lambda",
        "Url5xxCount",
        _function("Receiver"),
        "Sum",
        "Url5xxAlarmCount",
    ),
    Alarm(
        "ReceiverSlowAlarm",
        "One request in a hundred is near the 5 seconds after which Segment gives up",
        "AWS/Lambda",
        "UrlRequestLatency",
        _function("Receiver"),
        "p99",
        "ReceiverLatencyAlarmMilliseconds",
        comparison=_ABOVE,
    ),
    Alarm(
        "HttpApi4xxAlarm",
        "The HTTP API answered 4xx: Segment drops what gets one, unless it is 429",
        "AWS/ApiGateway",
        "4xx",
        _API,
        "Sum",
        "Url4xxAlarmCount",
        condition="WithHttpApi",
    ),
    Alarm(
        "HttpApi5xxAlarm",
        "The HTTP API answered 5xx: Segment sends that again, for four hours",
        "AWS/ApiGateway",
        "5xx",
        _API,
        "Sum",
        "Url5xxAlarmCount",
        condition="WithHttpApi",
    ),
    Alarm(
        "HttpApiSlowAlarm",
        "One request in a hundred is near the 5 seconds after which Segment gives up, at the HTTP API",
        "AWS/ApiGateway",
        "Latency",
        _API,
        "p99",
        "ReceiverLatencyAlarmMilliseconds",
        comparison=_ABOVE,
        condition="WithHttpApi",
    ),
    Alarm(
        "ReceiverThrottledAlarm",
        "Requests found no free receiver and got 429: raise its concurrency, or the account's",
        "AWS/Lambda",
        "Throttles",
        _function("Receiver"),
        "Sum",
        1,
    ),
    Alarm(
        "SignatureRefusedAlarm",
        "No signature or a wrong one: a secret that was changed on one side only loses events",
        NAMESPACE,
        "SignatureRefused",
        _service("receiver"),
        "Sum",
        "SignatureRefusedAlarmCount",
    ),
    Alarm(
        "CannotKeepAlarm",
        "The receiver answered 503 because Firehose or S3 did not take what came",
        NAMESPACE,
        "CannotKeep",
        _service("receiver"),
        "Sum",
        1,
    ),
    Alarm(
        "NotConfiguredAlarm",
        "Requests got 503 because their source or its secret is not known; Segment tries again for hours",
        NAMESPACE,
        "NotConfigured",
        _service("receiver"),
        "Sum",
        "NotConfiguredAlarmCount",
    ),
    Alarm(
        "RefusedNotKeptAlarm",
        "A genuine request with an unreadable body could not be kept for a look",
        NAMESPACE,
        "RefusedNotKept",
        _service("receiver"),
        "Sum",
        1,
    ),
    Alarm(
        "DeliveryFreshnessAlarm",
        "Firehose holds records that it cannot deliver; after 24 hours it gives them up",
        "AWS/Firehose",
        "DeliveryToS3.DataFreshness",
        _STREAM,
        "Maximum",
        "DeliveryFreshnessAlarmSeconds",
        comparison=_ABOVE,
    ),
    Alarm(
        "DeliveryFailedAlarm",
        "Firehose failed to put an object into the bucket; it tries again for 24 hours",
        "AWS/Firehose",
        "DeliveryToS3.Success",
        _STREAM,
        "Minimum",
        1,
        comparison="LessThanThreshold",
    ),
    Alarm(
        "OldestMessageAlarm",
        "A journal object has waited long to be written: the writer fails or is too slow",
        "AWS/SQS",
        "ApproximateAgeOfOldestMessage",
        _queue("CaptureQueue"),
        "Maximum",
        "OldestMessageAlarmSeconds",
        comparison=_ABOVE,
    ),
    Alarm(
        "DeadLettersAlarm",
        "A journal object could not be written: mend the cause, then connector infra redrive",
        "AWS/SQS",
        "ApproximateNumberOfMessagesVisible",
        _queue("DeadLetterQueue"),
        "Maximum",
        1,
    ),
    Alarm(
        "WriterFailedAlarm",
        "A run of the writer failed: memory, time or a defect",
        "AWS/Lambda",
        "Errors",
        _function("Writer"),
        "Sum",
        1,
    ),
    Alarm(
        "WriterErrorsAlarm",
        "The writer could not write a journal object; it is tried again",
        NAMESPACE,
        "WriterErrors",
        _service("writer"),
        "Sum",
        1,
    ),
    Alarm(
        "CapturedFilesDamagedAlarm",
        "A journal object is damaged: what can be read of it is written, the rest rejected",
        NAMESPACE,
        "CapturedFilesDamaged",
        _service("writer"),
        "Sum",
        1,
    ),
    Alarm(
        "JournalDelayAlarm",
        "Events reach the tables late",
        NAMESPACE,
        "JournalToTableDelaySeconds",
        _service("writer"),
        "Maximum",
        "JournalDelayAlarmSeconds",
        comparison=_ABOVE,
    ),
    Alarm(
        "OpenCapturesAlarm",
        "Journal objects older than an hour have no record; they were queued again",
        NAMESPACE,
        "OpenCaptures",
        _service("reconcile"),
        "Maximum",
        1,
        period=_HOURLY,
    ),
    Alarm(
        "ReconcileFailedAlarm",
        "A run of the reconciliation failed: lost notifications are not made up for",
        "AWS/Lambda",
        "Errors",
        _function("Reconcile"),
        "Sum",
        1,
        period=_HOURLY,
    ),
    Alarm(
        "JanitorFailedAlarm",
        "A run of the janitor failed: memory, time or a defect",
        "AWS/Lambda",
        "Errors",
        _function("Janitor"),
        "Sum",
        1,
        period=_HOURLY,
    ),
    Alarm(
        "JanitorErrorsAlarm",
        "The janitor could not merge the files of a day, or remove replaced ones",
        NAMESPACE,
        "JanitorErrors",
        _service("janitor"),
        "Sum",
        1,
        period=_HOURLY,
    ),
)


def alarm_resources() -> dict[str, Any]:
    """Resources of the template by logical id; they refer to ``AlarmTopic``. No data is no alarm."""
    return {alarm.name: _resource(alarm) for alarm in ALARMS}


def _resource(alarm: Alarm) -> dict[str, Any]:
    percentile = alarm.statistic.startswith("p")
    actions = FlowList([Tagged("!Ref", "AlarmTopic")])
    properties: dict[str, Any] = {
        "AlarmDescription": alarm.says,
        "Namespace": alarm.namespace,
        "MetricName": alarm.metric,
        "Dimensions": FlowList(Flow(Name=name, Value=value) for name, value in alarm.dimensions.items()),
        "ExtendedStatistic" if percentile else "Statistic": alarm.statistic,
        "ComparisonOperator": alarm.comparison,
        "Threshold": _number(alarm.threshold),
        "Period": _number(alarm.period),
        "EvaluationPeriods": 1,
        "TreatMissingData": "notBreaching",
        "AlarmActions": actions,
        "OKActions": actions,
    }
    head = {"Condition": alarm.condition} if alarm.condition else {}
    return {"Type": "AWS::CloudWatch::Alarm", **head, "Properties": properties}


def _number(value: int | str) -> int | Tagged:
    return value if isinstance(value, int) else Tagged("!Ref", value)
