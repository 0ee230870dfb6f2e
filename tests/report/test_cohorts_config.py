"""Channels of the configuration: the only addresses that people are ever sent to."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from connector.cli_cohort import cohort
from connector.cohorts.language import conditions_of
from connector.commands.cohort_parts import channel_of
from connector.config import load_settings
from connector.errors import ConfigError

DOCS = (Path(__file__).parents[2] / "docs/cohorts.md").read_text(encoding="utf-8")
WEBHOOK = {"kind": "webhook", "url": "https://crm.example.com/cohorts"}


@pytest.mark.parametrize(
    "url",
    ["https://crm.example.com/x?y=1", "http://127.0.0.1:8080/x", "http://localhost/x", "http://[::1]:80/x"],
)
def test_an_address_is_encrypted_or_of_this_machine(url: str):
    assert load_settings(channels={"crm": {**WEBHOOK, "url": url}}).channels["crm"].kind == "webhook"


@pytest.mark.parametrize(
    ("channel", "told"),
    [
        ({**WEBHOOK, "url": "http://crm.example.com/x"}, "url: http goes to this machine only"),
        ({**WEBHOOK, "url": "http://127.0.0.1.example.com/x"}, "url: http goes to this machine only"),
        ({**WEBHOOK, "url": "ftp://crm.example.com/x"}, "url: should be an address"),
        ({**WEBHOOK, "url": "https://ann:hunter2@crm.example.com/"}, "url: holds no user, password"),
        ({**WEBHOOK, "url": "https://crm.example.com:x/"}, "url: should be an address"),
        ({**WEBHOOK, "secret": "hunter2"}, "secret: a secret is written as env:NAME or file:PATH"),
        (
            {**WEBHOOK, "headers": {"Authorization": "hunter2"}},
            "a secret is written as env:NAME or file:PATH",
        ),
        ({**WEBHOOK, "headers": {"X Y": "env:X"}}, "headers"),
        ({**WEBHOOK, "ulr": "x"}, "ulr: there is no such key; did you mean 'url'"),
        ({"kind": "segment", "write_key": "hunter2"}, "a secret is written as env:NAME or file:PATH"),
        ({"kind": "segment", "write_key": "env:K", "host": "http://example.com"}, "host: http goes to this"),
        ({"kind": "twilio", "folder": "x", "region": "de"}, "region"),
        ({"kind": "pigeon"}, "expected tags"),
    ],
)
def test_what_is_wrong_is_said_without_the_value(channel: dict[str, Any], told: str):
    with pytest.raises(ConfigError) as refused:
        load_settings(channels={"crm": channel})
    assert told in str(refused.value)
    assert "hunter2" not in str(refused.value)


def test_a_channel_that_is_not_configured_is_refused_and_another_is_proposed():
    settings = load_settings(channels={"crm": WEBHOOK})

    with pytest.raises(ConfigError, match="no channel crn is configured under channels; there is crm"):
        channel_of(settings, "crn", with_contacts=False)
    with pytest.raises(ConfigError, match="no channel https://evil"):
        channel_of(settings, "https://evil.example.com/", with_contacts=False)


def test_a_secret_that_is_not_set_stops_the_delivery(monkeypatch: pytest.MonkeyPatch):
    settings = load_settings(channels={"crm": {**WEBHOOK, "headers": {"Authorization": "env:CRM_TOKEN"}}})

    monkeypatch.delenv("CRM_TOKEN", raising=False)
    with pytest.raises(ConfigError, match=r"channels\.crm\.headers\.Authorization: env:CRM_TOKEN is not set"):
        channel_of(settings, "crm", with_contacts=False)
    monkeypatch.setenv("CRM_TOKEN", "größe")
    with pytest.raises(ConfigError, match="other characters than ASCII"):
        channel_of(settings, "crm", with_contacts=False)


def test_contacts_in_files_are_for_files_alone():
    settings = load_settings(channels={"crm": WEBHOOK})

    with pytest.raises(ConfigError, match="--with-contacts is for channels of the kind csv"):
        channel_of(settings, "crm", with_contacts=True)


def test_the_channels_of_the_documentation_are_channels():
    (example,) = re.findall(r"```yaml\n(.*?)```", DOCS, re.DOTALL)

    kinds = {name: each.kind for name, each in load_settings(**yaml.safe_load(example)).channels.items()}

    assert kinds == {"crm": "webhook", "segment": "segment", "files": "csv", "sms": "twilio"}


@pytest.mark.parametrize(
    "condition", re.findall(r"^\| `((?:did|profile|in cohort) .*?)` \|", DOCS, re.MULTILINE)
)
def test_the_conditions_of_the_documentation_are_conditions(condition: str):
    assert conditions_of(condition)


@pytest.mark.parametrize("line", re.findall(r"^connector cohort (.*)$", DOCS, re.MULTILINE))
def test_the_commands_of_the_documentation_have_the_options_they_show(line: str):
    name = line.split()[0]
    shown = CliRunner().invoke(cohort, [name, "--help"]).output

    options = set(re.findall(r"--[a-z-]+", line)) - {"--category"}
    assert options <= set(re.findall(r"--[a-z-]+", shown))
