"""SAM to plain CloudFormation, and what cfn-lint finds: by the packages of the extra ``infra``."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import yaml

from connector.errors import ConfigError, ConnectorError
from connector.infra import yaml_tags
from connector.infra.template import with_code

_EXTRA = "needs the extra infra: pip install 'segment-lake-connector[infra]'"
_REGION = "us-east-1"
"""Nothing in the result depends on it; the translator wants to know one."""


class TemplateRefused(ConnectorError):
    """The template is none that CloudFormation would take."""

    code = "template"


def placeholder(bundle: str) -> str:
    """An address of a bundle that is nowhere, where only the form counts."""
    return f"s3://bundles/{bundle}"


def read_template(text: str) -> Any:
    """A template's text as values, short forms made long.

    Raises:
        TemplateRefused: it is not YAML, or holds no resources.
    """
    try:
        template = yaml_tags.load(text)
    except yaml.YAMLError as error:
        raise TemplateRefused(f"the template is not YAML: {error}") from None
    if not isinstance(template, dict) or not isinstance(template.get("Resources"), dict):
        raise TemplateRefused("the template has no Resources")
    return template


def translate(text: str, address_of: Callable[[str], str] = placeholder) -> str:
    """The template as plain CloudFormation, in JSON: no transform is left to be done by AWS.

    Args:
        address_of: bundle (``receiver.zip``) to where it lies, ``s3://bucket/key``.

    Raises:
        ConfigError: the extra is not installed.
        TemplateRefused: the translator refuses it.
    """
    try:
        from boto3.session import Session
        from samtranslator.model.exceptions import InvalidDocumentException
        from samtranslator.parser.parser import Parser
        from samtranslator.translator.translator import Translator
    except ImportError:
        raise ConfigError(f"--format cloudformation {_EXTRA}") from None

    template = read_template(with_code(text, address_of))
    translator = Translator({}, Parser(), boto_session=Session(region_name=_REGION))
    try:
        translated = translator.translate(template, {})
    except InvalidDocumentException as refused:
        causes = [str(cause.message) for cause in refused.causes]
        raise TemplateRefused("\n".join(["the translator refuses the template", *causes])) from None
    return json.dumps(translated, indent=1, ensure_ascii=False) + "\n"


def lint(text: str) -> list[str]:
    """What cfn-lint finds, warnings too, a line each.

    Raises:
        ConfigError: the extra is not installed.
    """
    try:
        import cfnlint.api as linter
    except ImportError:
        raise ConfigError(f"connector infra validate {_EXTRA}") from None
    found = linter.lint(text, regions=[_REGION])
    return [f"line {each.linenumber}: {each.rule.id} {each.message}" for each in found]
