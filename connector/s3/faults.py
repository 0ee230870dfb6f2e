"""
What botocore raises, as ``StoreError``.

| trouble | code | try again |
|---|---|---|
| no credentials, HTTP 401 and 403, a KMS key that may not be used | ``store_forbidden`` | no |
| no such bucket | ``store_missing`` | no |
| time-out, broken connection, HTTP 429 and 5xx, throttling, a wrong checksum | ``store_unavailable`` | yes |
| the rest: another region, a call it does not know, an object too large | ``store_unsuitable`` | no |

Messages hold the operation, the bucket, the server, the HTTP status and the error code of S3, and where to
look. botocore's own texts may hold an address with the key in it: they are dropped, and so is the exception.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from connector.errors import StoreError

if TYPE_CHECKING:
    from botocore.exceptions import BotoCoreError, ClientError
    from mypy_boto3_s3 import S3Client

FORBIDDEN, MISSING, UNAVAILABLE, UNSUITABLE = (
    "store_forbidden", "store_missing", "store_unavailable", "store_unsuitable"
)  # fmt: skip

_CODES = {
    "NoSuchBucket": MISSING,
    "InvalidBucketName": MISSING,
    "AccessDenied": FORBIDDEN,
    "AllAccessDisabled": FORBIDDEN,
    "AccountProblem": FORBIDDEN,
    "ExpiredToken": FORBIDDEN,
    "InvalidAccessKeyId": FORBIDDEN,
    "InvalidToken": FORBIDDEN,
    "RequestTimeTooSkewed": FORBIDDEN,
    "SignatureDoesNotMatch": FORBIDDEN,
    "BandwidthLimitExceeded": UNAVAILABLE,
    "BadDigest": UNAVAILABLE,
    "ConditionalRequestConflict": UNAVAILABLE,
    "InternalError": UNAVAILABLE,
    "OperationAborted": UNAVAILABLE,
    "PriorRequestNotComplete": UNAVAILABLE,
    "RequestLimitExceeded": UNAVAILABLE,
    "RequestTimeout": UNAVAILABLE,
    "ServiceUnavailable": UNAVAILABLE,
    "SlowDown": UNAVAILABLE,
    "XAmzContentChecksumMismatch": UNAVAILABLE,
    "XAmzContentSHA256Mismatch": UNAVAILABLE,
}
_NOT_IMPLEMENTED = 501
_NO_CREDENTIALS = (
    "no AWS credentials found: looked at AWS_ACCESS_KEY_ID with AWS_SECRET_ACCESS_KEY, AWS_PROFILE, "
    "AWS_SHARED_CREDENTIALS_FILE, AWS_CONFIG_FILE, AWS_ROLE_ARN with AWS_WEB_IDENTITY_TOKEN_FILE, "
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI and _FULL_URI, and the role of the instance"
)
_OR_MISSING = " (without s3:ListBucket an object that is not there looks forbidden as well)"
_ADVICE = {
    FORBIDDEN: "; look at the credentials and at what they allow",
    MISSING: " (there is no such bucket); look at its name, s3.endpoint and s3.region",
}
_OTHER_REGION = {"PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException"}
_CODE = re.compile(r"[A-Za-z0-9.]{1,64}")


def status_of(refused: ClientError) -> int:
    """The HTTP status of an answer; 0 when it had none."""
    return int(refused.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def code_of(refused: ClientError) -> str:
    """The error code of S3, such as ``NoSuchKey``; empty when the answer holds none that looks like one."""
    code = refused.response.get("Error", {}).get("Code", "")
    return code if _CODE.fullmatch(code) else ""


def is_missing_key(refused: ClientError) -> bool:
    """The bucket is there, the object is not."""
    return status_of(refused) == 404 and code_of(refused) != "NoSuchBucket"


def kind_of(status: int, code: str) -> str:
    """The ``StoreError.code`` for an HTTP status and an error code of S3."""
    if code in _CODES:
        return _CODES[code]
    if "Throttl" in code or code.startswith("TooManyRequests"):
        return UNAVAILABLE
    if status in (401, 403) or code.startswith("KMS."):
        return FORBIDDEN
    if status == 429 or (status >= 500 and status != _NOT_IMPLEMENTED):
        return UNAVAILABLE
    return UNSUITABLE


def server_of(client: S3Client) -> str:
    """Scheme, host and port that a client asks, for people: no path, no credentials."""
    parts = urlsplit(client.meta.endpoint_url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def refusal(operation: str, bucket: str, status: int, code: str, server: str = "S3") -> StoreError:
    """The error for an answer the store gave."""
    kind = kind_of(status, code)
    said = f"HTTP {status or 'none'} {code or 'without a code'} from {server}"
    hint = _OR_MISSING if operation == "read" and code == "AccessDenied" else ""
    advice = "; look at s3.region" if code in _OTHER_REGION else _ADVICE.get(kind, "")
    text = f"{operation} in bucket {bucket}: {said}{hint}{advice}"
    return StoreError(text, code=kind, retryable=kind == UNAVAILABLE)


@contextmanager
def store_errors(operation: str, bucket: str, client: S3Client | None = None) -> Iterator[None]:
    """Raise what botocore raises inside as ``StoreError``; ``operation`` is a word for people."""
    from botocore.exceptions import BotoCoreError, ClientError
    from urllib3.exceptions import HTTPError

    server = server_of(client) if client else "S3"
    try:
        yield
    except ClientError as refused:
        raise refusal(operation, bucket, status_of(refused), code_of(refused), server) from None
    except BotoCoreError as broken:
        raise _breakage(f"{operation} in bucket {bucket}", server, broken) from None
    except HTTPError as broken:
        name = type(broken).__name__
        raise StoreError(f"{operation} in bucket {bucket}: no whole answer from {server} ({name})") from None


def _breakage(where: str, server: str, broken: BotoCoreError) -> StoreError:
    """The error for what happened before an answer came, or in the middle of one."""
    from botocore import exceptions as boto

    unreached = (
        boto.EndpointConnectionError, boto.ConnectTimeoutError, boto.ProxyConnectionError, boto.SSLError,
    )  # fmt: skip

    lost = (
        boto.ConnectionError, boto.HTTPClientError, boto.IncompleteReadError, boto.FlexibleChecksumError,
        boto.ChecksumError,
    )  # fmt: skip
    credentials = (
        boto.PartialCredentialsError, boto.CredentialRetrievalError, boto.ProfileNotFound,
        boto.TokenRetrievalError, boto.NoAuthTokenError, boto.SSOError, boto.LoginError,
    )  # fmt: skip
    name = type(broken).__name__
    if isinstance(broken, unreached):
        advice = "look at s3.endpoint, s3.region and the network"
        return StoreError(f"{where}: cannot reach {server} ({name}); {advice}")
    if isinstance(broken, lost):
        return StoreError(f"{where}: no whole answer from {server} ({name})")
    if isinstance(broken, boto.NoCredentialsError):
        return StoreError(f"{where}: {_NO_CREDENTIALS}", code=FORBIDDEN, retryable=False)
    if isinstance(broken, credentials):
        text = f"{where}: the AWS credentials cannot be used ({name})"
        return StoreError(text, code=FORBIDDEN, retryable=False)
    kind = MISSING if isinstance(broken, boto.ParamValidationError) else UNSUITABLE
    return StoreError(f"{where}: {name}{_ADVICE.get(kind, '')}", code=kind, retryable=False)
