"""What each bundle needs from the registry, declared once; the versions are those that are installed here.

boto3 and what it needs come with Lambda's runtime and are in no bundle.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version

from connector.errors import ConfigError

_SETTINGS = (
    "annotated-types pydantic pydantic-core pydantic-settings python-dotenv pyyaml typing-extensions "
    "typing-inspection"
).split()
_SCHEMAS = (
    "attrs jsonschema jsonschema-rs jsonschema-specifications referencing rfc3339-validator rpds-py"
).split()
_TEMPLATES = "babel importlib-resources markupsafe python-liquid pytz".split()
_POWERTOOLS = "aws-lambda-powertools".split()
_FLASK = "apig-wsgi blinker click flask itsdangerous jinja2 markupsafe prometheus-client werkzeug".split()

RECEIVER = frozenset([*_SETTINGS, "orjson", *_POWERTOOLS, *_FLASK])
WRITER = frozenset([*_SETTINGS, *_SCHEMAS, *_TEMPLATES, *_POWERTOOLS, "orjson", "pyarrow", "xxhash"])
JANITOR = WRITER | {"duckdb"}

BUNDLES: Mapping[str, frozenset[str]] = {"receiver": RECEIVER, "writer": WRITER, "janitor": JANITOR}
"""Name of a bundle -> its packages, every one of them: nothing else is fetched."""


def pins() -> dict[str, str]:
    """Package -> version, of all bundles.

    Raises:
        ConfigError: some are not installed.
    """
    found, missing = {}, []
    for name in sorted(frozenset().union(*BUNDLES.values())):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            missing.append(name)
    if missing:
        raise ConfigError(
            f"bundles take the versions that are installed here; missing: {' '.join(missing)}. "
            "pip install 'segment-lake-connector[aws]' brings them"
        )
    return found
