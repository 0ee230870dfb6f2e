"""The table of refusals, and what no message may hold."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.s3.faults import kind_of, refusal

KINDS = ["store_forbidden", "store_missing", "store_unavailable", "store_unsuitable"]


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (401, "", "store_forbidden"),
        (403, "", "store_forbidden"),
        (403, "AccessDenied", "store_forbidden"),
        (403, "InvalidAccessKeyId", "store_forbidden"),
        (403, "RequestTimeTooSkewed", "store_forbidden"),
        (403, "SignatureDoesNotMatch", "store_forbidden"),
        (400, "ExpiredToken", "store_forbidden"),
        (400, "KMS.DisabledException", "store_forbidden"),
        (404, "NoSuchBucket", "store_missing"),
        (400, "InvalidBucketName", "store_missing"),
        (429, "", "store_unavailable"),
        (500, "", "store_unavailable"),
        (502, "Bad", "store_unavailable"),
        (503, "SlowDown", "store_unavailable"),
        (504, "", "store_unavailable"),
        (400, "RequestTimeout", "store_unavailable"),
        (400, "ThrottlingException", "store_unavailable"),
        (400, "BadDigest", "store_unavailable"),
        (409, "OperationAborted", "store_unavailable"),
        (200, "InternalError", "store_unavailable"),
        (301, "PermanentRedirect", "store_unsuitable"),
        (400, "AuthorizationHeaderMalformed", "store_unsuitable"),
        (400, "EntityTooLarge", "store_unsuitable"),
        (405, "MethodNotAllowed", "store_unsuitable"),
        (501, "NotImplemented", "store_unsuitable"),
        (0, "", "store_unsuitable"),
    ],
)
def test_the_kind_of_a_refusal(status: int, code: str, kind: str):
    assert kind_of(status, code) == kind


@given(status=st.integers(0, 599), code=st.text("ABCabc.", max_size=9))
def test_only_what_is_unavailable_is_worth_another_try(status: int, code: str):
    error = refusal("put", "lake", status, code)
    assert error.code in KINDS
    assert error.retryable == (error.code == "store_unavailable")


def test_a_forbidden_read_says_that_it_may_be_a_missing_object():
    assert "s3:ListBucket" in refusal("read", "lake", 403, "AccessDenied").message
    assert "s3:ListBucket" not in refusal("put", "lake", 403, "AccessDenied").message


@pytest.mark.parametrize(
    ("status", "code", "advice"),
    [
        (403, "SignatureDoesNotMatch", "; look at the credentials and at what they allow"),
        (404, "NoSuchBucket", " (there is no such bucket); look at its name, s3.endpoint and s3.region"),
        (301, "PermanentRedirect", "; look at s3.region"),
        (503, "SlowDown", ""),
    ],
)
def test_a_refusal_says_who_refused_and_where_to_look(status: int, code: str, advice: str):
    said = refusal("list", "lake", status, code, "https://s3.example.org").message
    assert said == f"list in bucket lake: HTTP {status} {code} from https://s3.example.org{advice}"
