"""
What botocore raises, as ``StoreError``.

| trouble | code | try again |
|---|---|---|
| no credentials, HTTP 401 and 403, a KMS key that may not be used | ``store_forbidden`` | no |
| no such bucket | ``store_missing`` | no |
| time-out, broken connection, HTTP 429 and 5xx, throttling, a wrong checksum | ``store_unavailable`` | yes |
| the rest: another region, a call it does not know, an object too large | ``store_unsuitable`` | no |

Messages hold the operation, the bucket, the HTTP status and the error code of S3. botocore's own texts may
hold an address with the key in it: they are dropped together with the exception.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from connector.errors import StoreError

if TYPE_CHECKING:
    from botocore.exceptions import BotoCoreError, ClientError

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


def refusal(operation: str, bucket: str, status: int, code: str) -> StoreError:
    """The error for an answer the store gave."""
    kind = kind_of(status, code)
    hint = {
        FORBIDDEN: _OR_MISSING if operation == "read" and code == "AccessDenied" else "",
        MISSING: " (there is no such bucket)",
    }.get(kind, "")
    text = f"{operation} in bucket {bucket}: HTTP {status or 'none'} {code or 'without a code'}{hint}"
    return StoreError(text, code=kind, retryable=kind == UNAVAILABLE)


@contextmanager
def store_errors(operation: str, bucket: str) -> Iterator[None]:
    """Raise what botocore raises inside as ``StoreError``; ``operation`` is a word for people."""
    from botocore.exceptions import BotoCoreError, ClientError
    from urllib3.exceptions import HTTPError

    try:
        yield
    except ClientError as refused:
        raise refusal(operation, bucket, status_of(refused), code_of(refused)) from None
    except BotoCoreError as broken:
        raise _breakage(operation, bucket, broken) from None
    except HTTPError as broken:
        raise StoreError(f"{operation} in bucket {bucket}: {type(broken).__name__}") from None


def _breakage(operation: str, bucket: str, broken: BotoCoreError) -> StoreError:
    """The error for what happened before an answer came, or in the middle of one."""
    from botocore import exceptions as boto

    lost = (
        boto.ConnectionError, boto.HTTPClientError, boto.IncompleteReadError, boto.FlexibleChecksumError,
        boto.ChecksumError,
    )  # fmt: skip
    credentials = (
        boto.PartialCredentialsError, boto.CredentialRetrievalError, boto.ProfileNotFound,
        boto.TokenRetrievalError, boto.NoAuthTokenError, boto.SSOError, boto.LoginError,
    )  # fmt: skip
    where = f"{operation} in bucket {bucket}"
    if isinstance(broken, lost):
        return StoreError(f"{where}: {type(broken).__name__}")
    if isinstance(broken, boto.NoCredentialsError):
        return StoreError(f"{where}: {_NO_CREDENTIALS}", code=FORBIDDEN, retryable=False)
    if isinstance(broken, credentials):
        text = f"{where}: the AWS credentials cannot be used ({type(broken).__name__})"
        return StoreError(text, code=FORBIDDEN, retryable=False)
    kind = MISSING if isinstance(broken, boto.ParamValidationError) else UNSUITABLE
    return StoreError(f"{where}: {type(broken).__name__}", code=kind, retryable=False)
