"""Sources, keys and places as the configuration says them."""

import gzip
from pathlib import Path
from typing import ClassVar

import pytest

from connector.config import Settings, load_settings
from connector.errors import ConfigError
from connector.journal.content import CapturedFileTooLarge
from connector.rounds.tasks import identify_for
from connector.s3.config import S3Config
from connector.wiring import configure, read_document
from connector.write.folder import DataFolder


def settings(**options: object) -> Settings:
    return load_settings(**options)


SOURCES = {
    "web": {
        "secrets": ["env:WEB_SECRET"],
        "write_keys": ["env:WEB_WRITE_KEY"],
        "api_keys": ["env:WEB_API_KEY"],
        "source_ids": ["pLanternWeb01"],
    },
    "app": {"write_keys": ["env:APP_WRITE_KEY"], "source_ids": ["pLanternApp07", "pLanternApp08"]},
}


class TestOneSourceIsOneEntry:
    def test_keys_are_resolved_and_what_is_not_set_is_said_apart(self, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setenv("WEB_SECRET", "s")
        monkeypatch.setenv("WEB_WRITE_KEY", "wk")

        keys = settings(sources=SOURCES).source_keys("web")

        assert keys is not None
        assert (keys.secrets, keys.write_keys, keys.api_keys) == ((b"s",), (b"wk",), ())
        assert (keys.missing, keys.missing_write_keys) == (("env:WEB_API_KEY",), ())
        assert "wk" not in repr(keys)

    def test_every_reference_that_is_not_set_is_listed(self):
        assert settings(sources=SOURCES).missing_secrets() == [
            "web: env:WEB_SECRET", "web: env:WEB_API_KEY", "web: env:WEB_WRITE_KEY", "app: env:APP_WRITE_KEY",
        ]  # fmt: skip

    def test_a_folder_of_the_archive_gives_the_same_name(self):
        found = settings(sources=SOURCES)

        assert [found.source_of_id(each) for each in ("pLanternWeb01", "pLanternApp08", "nobody")] == [
            "web", "app", None,
        ]  # fmt: skip

    @pytest.mark.parametrize("what", ["source_ids", "write_keys"])
    def test_two_sources_cannot_share_a_key(self, what: str):
        with pytest.raises(ConfigError, match=f"a and b share one of their {what}"):
            settings(sources={"a": {what: ["env:SAME"]}, "b": {what: ["env:SAME"]}})

    def test_a_write_key_itself_in_the_file_is_refused_without_being_shown(self):
        with pytest.raises(ConfigError) as refused:
            settings(sources={"a": {"write_keys": ["p9xSecretKey"]}})
        assert "env:NAME or file:PATH" in str(refused.value)
        assert "p9xSecretKey" not in str(refused.value)

    def test_the_limits_of_a_source_are_shared_among_the_receivers(self):
        one = {"open": {"unsigned": True, "events_per_second": 300, "bytes_per_second": 9_000}}

        keys = settings(sources=one, workers=3).source_keys("open")

        assert keys is not None
        assert (keys.events_per_second, keys.bytes_per_second) == (100, 3_000)


class TestWhereDataLies:
    def test_a_folder_holds_everything(self):
        found = settings(data="lake")
        assert (found.data_path, found.journal_path, found.local_path) == (
            Path("lake"), Path("lake/journal"), Path("lake"),
        )  # fmt: skip

    def test_with_s3_the_journal_and_the_work_stay_on_this_machine(self):
        found = settings(data="s3://lantern/lake")
        assert (found.is_s3, found.journal_path, found.local_path) == (
            True, Path("journal"), Path("journal/work"),
        )  # fmt: skip

    def test_a_place_of_another_kind_is_refused(self):
        with pytest.raises(ConfigError, match="s3://bucket/prefix"):
            _ = settings(data="gs://lantern/lake").data_path

    def test_the_options_of_s3_are_field_for_field_what_the_client_takes(self):
        options = settings(s3={"endpoint": "http://127.0.0.1:9000", "attempts": 2}).s3
        assert S3Config(**options.model_dump()) == S3Config(endpoint="http://127.0.0.1:9000", attempts=2)


class TestTheJournalOnAws:
    PLACES: ClassVar = {"journal": "s3://lantern/journal", "refused": "s3://lantern/refused"}

    def test_variables_say_where_captures_go(self, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setenv("CONNECTOR_AWS__DELIVERY_STREAM", "lantern-captures")
        monkeypatch.setenv("CONNECTOR_AWS__JOURNAL", "s3://lantern/journal")
        monkeypatch.setenv("CONNECTOR_AWS__REFUSED", "s3://lantern/refused")

        found = settings().aws

        assert (found.delivery_stream, found.journal, found.record_bytes) == (
            "lantern-captures", "s3://lantern/journal", 1_000_000,
        )  # fmt: skip

    @pytest.mark.parametrize(
        ("aws", "fault"),
        [
            ({"delivery_stream": "captures"}, "needs journal and refused"),
            (PLACES | {"refused": "s3://lantern/journal/refused"}, "refused lies below journal"),
            (PLACES | {"refused": "s3://lantern/journal"}, "refused lies below journal"),
            (PLACES | {"journal": "/var/journal"}, "aws.journal"),
            (PLACES | {"journal": "s3://lantern"}, "aws.journal"),
            ({"record_bytes": 1_024_001}, "aws.record_bytes"),
            ({"delivery_stram": "captures"}, "did you mean 'delivery_stream'"),
        ],
    )
    def test_a_slip_is_told_before_anything_starts(self, aws: dict[str, object], fault: str):
        with pytest.raises(ConfigError, match=fault):
            settings(aws=aws)


def test_what_a_compressed_file_may_unpack_to_is_set_or_half_of_the_free_disk(tmp_path: Path):
    (tmp_path / "day.json.gz").write_bytes(gzip.compress(b"{}\n" * 1_000))
    folder = DataFolder(tmp_path / "lake")

    assert identify_for(settings(), folder, tmp_path / "day.json.gz").bytes == 3_000
    with pytest.raises(CapturedFileTooLarge):
        identify_for(settings(unpacked_max_bytes=2_999), folder, tmp_path / "day.json.gz")


@pytest.mark.parametrize(
    "rule",
    [{"currency": "EUR"}, {"decimal_comma": True}, {"minor_units": True}, {"unescape_categories": True},
     {"event_aliases": {"Sale": "Order Completed"}}, {"key_aliases": {"product_id": ["objectID"]}}],
)  # fmt: skip
def test_what_changes_rows_changes_the_fingerprint(rule: dict[str, object], tmp_path: Path):
    plain = configure(settings(data=str(tmp_path), sources={"web": {}}), preview=True)
    ruled = configure(settings(data=str(tmp_path), sources={"web": rule}), preview=True)

    assert plain.fingerprint != ruled.fingerprint


def test_what_changes_no_row_leaves_the_fingerprint_alone(tmp_path: Path):
    plain = configure(settings(data=str(tmp_path), sources={"web": {}}), preview=True)
    keyed = configure(
        settings(data=str(tmp_path), port=9, sources={"web": {"write_keys": ["env:A"]}}), preview=True
    )

    assert plain.fingerprint == keyed.fingerprint


def test_every_name_that_there_is_not_is_told_at_once_with_its_place(tmp_path: Path):
    sources = {
        "web": {"key_aliases": {"prize": ["amount"], "sku": ["code"]}},
        "app": {"key_aliases": {"colour": ["tint"]}},
    }
    found = settings(data=str(tmp_path), sources=sources, columns={"evnts": {"gift": {"path": "gift"}}})

    with pytest.raises(ConfigError) as refused:
        configure(found, preview=True)

    assert [line.split(":")[0] for line in str(refused.value).splitlines()] == [
        "columns.evnts", "sources.web.key_aliases.prize", "sources.app.key_aliases.colour",
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["mapping.yaml", "mapping.json"])
def test_a_mapping_file_that_cannot_be_read_is_told_in_one_line(tmp_path: Path, name: str):
    path = tmp_path / name
    texts = [b"\xff\xfe", b'{"a": NaN}' if name.endswith("json") else b"a: 1\na: 2\n", b"[" * 100_000]

    for text in texts:
        path.write_bytes(text)
        with pytest.raises(ConfigError) as refused:
            read_document(path)
        assert str(refused.value).startswith(f"{path}")
        assert "\n" not in str(refused.value)
