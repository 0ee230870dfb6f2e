"""Bundles for deployment: all of them into one folder, then, if wanted, into a bucket."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, NamedTuple

from connector.errors import ConnectorError
from connector.infra.bundles import Configuration, assemble, zip_folder
from connector.infra.requirements import BUNDLES, pins
from connector.infra.wheels import Target, fetch

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class UploadFailed(ConnectorError):
    """A bundle could not be put into its bucket."""

    code = "upload"


class Packed(NamedTuple):
    """One bundle, ready."""

    name: str
    path: Path
    unzipped_bytes: int
    zipped_bytes: int


def package(
    configuration: Configuration, target: Target, out: Path, said: Callable[[str], None] = lambda _: None
) -> list[Packed]:
    """Write ``receiver.zip``, ``writer.zip`` and ``janitor.zip`` into ``out``, made when it is not there.

    The same versions and the same sources give the same files, byte for byte.

    Args:
        said: told what is being done, a word or two each time.

    Raises:
        ConfigError: packages are not installed, so nobody knows their versions.
        PackagesFailed: pip found no wheels for the target.
        BundleTooLarge: Lambda would refuse a bundle.
    """
    versions = pins()
    out.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=out, prefix=".bundles-") as scratch:
        said("fetching wheels")
        fetch(versions, target, Path(scratch) / "wheels")
        return [_packed(name, Path(scratch), versions, target, configuration, out, said) for name in BUNDLES]


def upload(packed: list[Packed], s3: S3Client, bucket: str, prefix: str) -> dict[str, str]:
    """Put bundles under names that tell their content: what has not changed is deployed as unchanged.

    Returns:
        ``receiver.zip`` -> ``s3://bucket/prefix/<hash>/receiver.zip``.

    Raises:
        UploadFailed: S3 refused or did not answer.
    """
    from boto3.exceptions import Boto3Error
    from botocore.exceptions import BotoCoreError, ClientError

    addresses = {}
    for each in packed:
        digest = sha256(each.path.read_bytes()).hexdigest()[:16]
        key = "/".join(filter(None, [prefix.strip("/"), digest, each.path.name]))
        try:
            s3.upload_file(str(each.path), bucket, key)
        except (Boto3Error, BotoCoreError, ClientError) as error:
            raise UploadFailed(f"{each.path.name} into s3://{bucket}/{key}: {error}") from None
        addresses[each.path.name] = f"s3://{bucket}/{key}"
    return addresses


def _packed(
    name: str, scratch: Path, versions: Mapping[str, str], target: Target, configuration: Configuration,
    out: Path, said: Callable[[str], None],
) -> Packed:  # fmt: skip
    said(f"putting together {name}")
    folder, path = scratch / name, out / f"{name}.zip"
    size = assemble(
        name, folder, pins=versions, wheels=scratch / "wheels", target=target, configuration=configuration
    )
    said(f"zipping {name}")
    zip_folder(folder, path)
    return Packed(name, path, size, path.stat().st_size)
