"""Developer-Center senders: the key is the user of a Basic header, and proves every element."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from receive_fakes import EVENT, SECOND, SECRET, basic, raw_request, signed

from connector.errors import CannotKeep, SignatureMismatch, SignatureMissing
from connector.events import SourceKeys
from connector.receive.admit import admit
from connector.receive.basic import basic_user
from connector.receive.verify import Proof, prove

CENTER = SourceKeys("center", api_keys=(b"new", b"old"))
BOTH = SourceKeys("center", secrets=(SECRET,), api_keys=(b"new",))


class TestBasicHeader:
    @pytest.mark.parametrize(
        ("value", "user"),
        [
            pytest.param("Basic a2V5Og==", b"key", id="user and no password"),
            pytest.param("basic a2V5Og==", b"key", id="scheme in lower case"),
            pytest.param("Basic a2V5OnB3", b"key", id="a password is ignored"),
            pytest.param("Basic a2V5", b"key", id="without the colon, as old clients send it"),
            pytest.param("Basic a2V5Og", b"key", id="without padding"),
            pytest.param("  Basic   a2V5Og==  ", b"key", id="blanks"),
            pytest.param("Basic\ta2V5Og==", b"key", id="a tab"),
            pytest.param("Basic \t a2V5Og==\t", b"key", id="blanks and tabs"),
            pytest.param("\t", None, id="blank"),
            pytest.param("Basic Og==", b"", id="no user"),
            pytest.param("Basic", b"", id="no value"),
            pytest.param("Basic a", b"", id="not base64"),
            pytest.param("Basic \xe9", b"", id="not ASCII"),
            pytest.param("Bearer a2V5Og==", None, id="another scheme"),
            pytest.param("", None, id="empty"),
        ],
    )
    def test_the_user_is_what_stands_before_the_colon(self, value: str, user: bytes | None) -> None:
        assert basic_user({"authorization": value}) == user

    def test_a_request_without_the_header_names_nobody(self) -> None:
        assert basic_user({}) is None

    @settings(deadline=None, max_examples=100)
    @given(st.binary(min_size=1).filter(lambda user: b":" not in user), st.binary())
    def test_any_user_comes_back_whatever_the_password(self, user: bytes, password: bytes) -> None:
        encoded = base64.b64encode(user + b":" + password).decode()

        assert basic_user({"authorization": f"Basic {encoded}"}) == user


class TestProof:
    @pytest.mark.parametrize("key", [b"new", b"old"])
    def test_every_key_of_a_rotation_proves_all(self, key: bytes) -> None:
        assert Proof("all", None) == prove(EVENT, basic(key), CENTER)

    @pytest.mark.parametrize("header", [basic(b"wrong"), basic(b""), {"authorization": "Basic !"}])
    def test_a_wrong_key_is_a_mismatch(self, header: dict[str, str]) -> None:
        with pytest.raises(SignatureMismatch):
            prove(EVENT, header, CENTER)

    @pytest.mark.parametrize("header", [{}, {"authorization": "Bearer new"}])
    def test_no_key_is_a_missing_proof(self, header: dict[str, str]) -> None:
        with pytest.raises(SignatureMissing):
            prove(EVENT, header, CENTER)

    def test_beside_a_right_signature_a_wrong_key_changes_nothing(self) -> None:
        assert Proof("all", 0) == prove(EVENT, {**signed(EVENT), **basic(b"proxy")}, BOTH)

    def test_a_right_key_never_excuses_a_wrong_signature(self) -> None:
        with pytest.raises(SignatureMismatch):
            prove(EVENT, {**signed(SECOND), **basic(b"new")}, BOTH)

    def test_a_right_key_proves_what_the_signature_of_the_first_element_does_not(self) -> None:
        batch = b"[" + EVENT + b"," + SECOND + b"]"

        assert Proof("all", 0) == prove(batch, {**signed(batch, EVENT), **basic(b"new")}, BOTH)

    def test_an_unsigned_source_refuses_a_wrong_key_all_the_same(self) -> None:
        keys = SourceKeys("center", api_keys=(b"new",), unsigned=True)

        assert prove(EVENT, {}, keys).proven == "none"
        with pytest.raises(SignatureMismatch):
            prove(EVENT, basic(b"wrong"), keys)

    def test_a_refusal_does_not_name_the_key(self) -> None:
        with pytest.raises(SignatureMismatch) as refused:
            prove(EVENT, basic(b"guessed-key"), SourceKeys("center", api_keys=(b"the-right-key",)))

        assert "key" not in str(refused.value)


class TestUnsetKeys:
    @pytest.mark.parametrize(
        "keys",
        [
            pytest.param(SourceKeys("center", missing=("env:A",)), id="the only key"),
            pytest.param(SourceKeys("center", api_keys=(b"old",), missing=("env:A",)), id="one of two"),
            pytest.param(SourceKeys("center", unsigned=True, missing=("env:A",)), id="unsigned besides"),
        ],
    )
    def test_the_sender_is_asked_to_come_again(self, keys: SourceKeys) -> None:
        with pytest.raises(CannotKeep) as trouble:
            admit(raw_request(EVENT, basic(b"new")), keys)

        assert trouble.value.code == "secret_missing"

    def test_what_the_set_key_proves_is_accepted(self) -> None:
        keys = SourceKeys("center", api_keys=(b"old",), missing=("env:A",))

        assert admit(raw_request(EVENT, basic(b"old")), keys).proven == "all"
