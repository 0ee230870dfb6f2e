"""``connector infra package``: the code of the functions, and a template that says where it lies."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from connector.commands.infra import rendered
from connector.config import Settings
from connector.errors import ConfigError
from connector.infra import template as sam
from connector.infra.bundles import Configuration, interpreter_of
from connector.infra.packing import Packed, package, upload
from connector.infra.translate import translate
from connector.infra.wheels import Target
from connector.terminal import err
from connector.wiring import shipped_mapping

if TYPE_CHECKING:
    from connector.s3.store import S3Store

PACKAGED = {"sam": "packaged.yaml", "cloudformation": "packaged.json"}
_OF_THE_TEMPLATE = {"WEB_SECRET", "PRIVACY_KEY"}
"""Variables whose secrets the template makes."""
PRIVACY_KEY = "env:PRIVACY_KEY"
"""The one that all functions but the receiver are given."""
OF_LAMBDA = ("3.12", "3.13")
"""Pythons of Lambda on which pyarrow loads."""


def configuration_of(settings: Settings, config: Path) -> Configuration:
    """What the bundles carry of a configuration file and the files that its settings name."""
    mapping = Path(settings.mapping) if settings.mapping else None
    return Configuration.of(config.read_text(encoding="utf-8"), mapping, shipped_mapping(), settings.schemas)


def run(
    settings: Settings, config: Path, target: Target, out: Path, bucket: str | None, prefix: str, kind: str
) -> int:
    """Package, and with a bucket upload and write the template to deploy.

    Raises:
        ConfigError, PackagesFailed, BundleTooLarge, StoreError: the message says what to do.
    """
    check(settings)
    text = rendered(settings)
    with err.status("…") if err.is_terminal else _Quiet() as shown:
        packed = package(configuration_of(settings, config), target, out, shown.update)
    _say(packed, target)
    for note in notes_of(settings, target):
        err.print(f"! {note}", markup=False)
    if bucket is None:
        return 0
    path = out / PACKAGED[kind]
    names = upload(packed, prefix, _store(settings, bucket).upload)
    addresses = {bundle: f"s3://{bucket}/{name}" for bundle, name in names.items()}
    text = sam.with_defaults(text, _defaults(settings, target))
    text = (
        sam.with_code(text, addresses.__getitem__)
        if kind == "sam"
        else translate(text, addresses.__getitem__)
    )
    path.write_text(text, encoding="utf-8")
    expand = " CAPABILITY_AUTO_EXPAND" if kind == "sam" else ""
    given = " ".join(f"{name}={value}" for name, value in _defaults(settings, target).items())
    err.print(f"{path}: deploy it with", markup=False)
    err.print(f"  aws cloudformation deploy --stack-name lake --template-file {path} "
              f"--s3-bucket {bucket} --capabilities CAPABILITY_IAM{expand} "
              f"--parameter-overrides {given}", markup=False)  # fmt: skip
    return 0


def check(settings: Settings) -> None:
    """Refuse what no deployment could make work. Raises ``ConfigError``."""
    if settings.privacy_key not in (None, PRIVACY_KEY):
        raise ConfigError(
            f"privacy_key: on AWS it is {PRIVACY_KEY}, which the template makes; put a key of your own into "
            "that secret (output PrivacySecretArn) before the first event"
        )
    if not settings.sources:
        raise ConfigError(
            "sources: none is configured; a receiver that everybody can reach refuses to start so"
        )
    if of_files := [each for each in _references(settings) if not each.startswith("env:")]:
        raise ConfigError(f"{of_files[0]}: a function has no such file; use env:NAME")


def notes_of(settings: Settings, target: Target) -> list[str]:
    """What needs a hand at deployment."""
    names, notes = {each.removeprefix("env:") for each in _references(settings)}, []
    if target.python not in OF_LAMBDA:
        notes.append(f"Python {target.python}: the template takes {' and '.join(OF_LAMBDA)} only")
    if more := sorted(names - _OF_THE_TEMPLATE):
        notes.append(
            f"{', '.join(more)}: put into a secret of Secrets Manager, as a JSON object, and name its ARN "
            "in the parameter MoreSecretArns"
        )
    return notes


def _references(settings: Settings) -> Iterable[str]:
    for source in settings.sources.values():
        yield from (*source.secrets, *source.write_keys, *source.api_keys)
        yield from source.second_header.values if source.second_header else ()
    if settings.privacy_key:
        yield settings.privacy_key


def _defaults(settings: Settings, target: Target) -> dict[str, str]:
    """What a deployment of these bundles must not be told otherwise."""
    known = {"Architecture": target.architecture, "Runtime": f"python{target.python}"}
    source = next(iter(settings.sources), None)
    return {**known, "SourceName": source} if source else known


def _say(packed: list[Packed], target: Target) -> None:
    compiled = "compiled" if interpreter_of(target.python) else (
        f"not compiled: there is no Python {target.python} here, so cold starts take longer"
    )  # fmt: skip
    for each in packed:
        err.print(
            f"{each.path}: {each.unzipped_bytes / 1e6:.1f} MB, zipped {each.zipped_bytes / 1e6:.1f} MB",
            markup=False,
        )
    err.print(f"for {target.architecture}, Python {target.python}, {compiled}", markup=False)


def _mb(size_bytes: int) -> str:
    return f"{size_bytes / 1e6:.1f} MB"


def _store(settings: Settings, bucket: str) -> S3Store:
    from connector.s3.config import S3Place
    from connector.s3.store import open_store
    from connector.wiring import s3_config

    return open_store(S3Place(bucket), s3_config(settings))


class _Quiet:
    """A status line where nobody looks."""

    def __enter__(self) -> _Quiet:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def update(self, _: str) -> None:
        pass
