"""What the functions behind the journal do first, while Lambda starts their process: outside the handler."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable

from connector.aws.log import log_as_json
from connector.aws.secrets import Secrets
from connector.config import Settings, load_settings
from connector.errors import ConnectorError

log = logging.getLogger("connector.aws.start")


def is_lambda() -> bool:
    """Whether this process is a Lambda's."""
    return "AWS_LAMBDA_FUNCTION_NAME" in os.environ


def settings_with_secrets() -> Settings:
    """Fetch the secrets that ``CONNECTOR_SECRETS`` names, then read the settings, which refer to them.

    A secret that is not to be had is missed where it is used; the next call tries again.

    Raises:
        ConfigError: the settings are wrong, or what ``CONNECTOR_SECRETS`` says.
    """
    Secrets.of_environment().begin()
    return load_settings()


def begin(service: str, prepare: Callable[[], object]) -> None:
    """In a Lambda, log as JSON and prepare at once: while it starts, a function has more of the processor.

    What fails is logged, and tried again by the first invocation. Anywhere else nothing happens.
    """
    if not is_lambda():
        return
    log_as_json(service)
    try:
        prepare()
    except ConnectorError as trouble:
        log.error("not prepared, the first invocation tries again: %s", trouble)
