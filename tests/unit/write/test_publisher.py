"""Staged files become visible in one numbered entry, each captured file once."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from lake_samples import files_below, record, stage
from publisher_hooks import NOW_MS, hooked_folder, once, proven

from connector.errors import LedgerError
from connector.write.ledger import Output, fold
from connector.write.publish import Publisher
from connector.write.sink import StagedFile


def test_published_files_are_in_the_tables_and_in_the_ledger(tmp_path):
    folder = hooked_folder(tmp_path)
    staged = stage(folder, "h-1")

    assert Publisher(folder).publish([staged]) == 1

    state = fold(tmp_path)
    assert files_below(tmp_path, "tables", "rejected") == {output.name for output in staged.record.files}
    assert state.records == {"h-1": replace(staged.record, committed_at_ms=NOW_MS)}
    assert folder.stagings() == []
    assert proven(tmp_path).equation == (
        "received 4 = stored 3 + rejected 1 + unmatched 0 + duplicate 0 + suppressed 0"
    )


def test_one_round_makes_one_entry(tmp_path):
    folder = hooked_folder(tmp_path)

    assert Publisher(folder).publish([stage(folder, name) for name in ("h-1", "h-2", "h-3")]) == 3

    assert fold(tmp_path).number == 1


def test_a_captured_file_that_is_recorded_is_done_whatever_the_configuration(tmp_path):
    folder = hooked_folder(tmp_path)
    publisher = Publisher(folder)
    publisher.publish([stage(folder, "h-1")])

    again = stage(folder, "h-1", stored=5)
    again = replace(again, record=replace(again.record, configuration="sha256:99"))

    assert publisher.publish([again]) == 0
    assert fold(tmp_path).number == 1
    assert folder.stagings() == []
    assert proven(tmp_path).fates["stored"] == 3


def test_the_same_captured_file_twice_in_a_round_is_recorded_once(tmp_path):
    folder = hooked_folder(tmp_path)

    assert Publisher(folder).publish([stage(folder, "h-1"), stage(folder, "h-1")]) == 1
    proven(tmp_path)


def test_nothing_staged_makes_no_entry(tmp_path):
    assert Publisher(hooked_folder(tmp_path)).publish([]) == 0
    assert fold(tmp_path).number == 0


def test_a_captured_file_without_rows_is_recorded_too(tmp_path):
    folder = hooked_folder(tmp_path)

    Publisher(folder).publish([StagedFile(folder.new_staging(), record("h-1", unmatched=4))])

    assert proven(tmp_path).fates["unmatched"] == 4


def test_retirement_follows_the_commit_also_for_files_recorded_before(tmp_path):
    folder = hooked_folder(tmp_path)
    retired: list[tuple[str, int]] = []
    publisher = Publisher(folder, retire=lambda name: retired.append((name, fold(tmp_path).number)))

    publisher.publish([stage(folder, "h-1")])
    publisher.publish([stage(folder, "h-1"), stage(folder, "h-2")])

    assert retired == [("h-1", 1), ("h-1", 2), ("h-2", 2)]


def test_what_is_recorded_and_not_retired_is_retired_when_the_lock_is_taken(tmp_path):
    folder = hooked_folder(tmp_path)
    Publisher(folder).publish([stage(folder, "h-1")])
    retired: list[str] = []

    Publisher(folder, retire=retired.append, unretired=lambda: ["h-1", "not-written-yet"]).recover()

    assert retired == ["h-1"]


def test_the_steps_are_in_the_order_of_the_protocol(tmp_path):
    folder = hooked_folder(tmp_path)
    staged = stage(folder, "h-1")
    folder.disk.steps.clear()

    Publisher(folder).publish([staged])

    steps = [step for step, _ in folder.disk.steps]
    order = [steps.index("write"), steps.index("link"), steps.index("rename")]
    assert order == sorted(order)
    assert steps.count("rename") == len(staged.record.files)
    assert folder.disk.steps[steps.index("link") + 1] == ("sync", "changes")
    first, last = steps.index("rename"), len(steps) - 1 - steps[::-1].index("rename")
    assert set(steps[first:last]) == {"rename"}
    days = [Path(output.name).parent.name for output in staged.record.files]
    assert {"sync"} == set(steps[last + 1 :])
    assert set(days) <= {name for step, name in folder.disk.steps[last + 1 :]}


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"received": 99}, "fates do not sum up"),
        ({"rejected": 2, "received": 5}, "2 events rejected, 1 kept"),
    ],
)
def test_a_record_that_breaks_the_equation_is_not_committed(tmp_path, change, what):
    folder = hooked_folder(tmp_path)
    staged = stage(folder, "h-1")

    with pytest.raises(LedgerError, match=f"h-1: .*{what}"):
        Publisher(folder).publish([replace(staged, record=replace(staged.record, **change))])

    assert fold(tmp_path).number == 0


def test_an_entry_never_names_a_file_that_is_not_there(tmp_path):
    folder = hooked_folder(tmp_path)
    staged = stage(folder, "h-1")
    (staged.staging / staged.record.outputs[0].name).unlink()

    with pytest.raises(LedgerError, match="is gone"):
        Publisher(folder).publish([staged])

    assert fold(tmp_path).number == 0


def test_two_publishers_without_a_working_lock_store_each_file_once(tmp_path):
    """The second takes the number between the first one's fold and its link."""
    other = hooked_folder(tmp_path, lock="fails")
    theirs = [stage(other, "h-1"), stage(other, "h-2")]
    folder = hooked_folder(tmp_path, lock="fails", link=once(lambda: Publisher(other).publish(theirs)))
    ours = [stage(folder, "h-2"), stage(folder, "h-3")]

    assert Publisher(folder).publish(ours) == 1

    assert [record.captured_file for record in fold(tmp_path).records.values()] == ["h-1", "h-2", "h-3"]
    assert fold(tmp_path).number == 2
    assert proven(tmp_path).received == 12


def test_a_publisher_that_loses_everything_to_another_adds_nothing(tmp_path):
    other = hooked_folder(tmp_path, lock="fails")
    theirs = stage(other, "h-1")
    folder = hooked_folder(tmp_path, lock="fails", link=once(lambda: Publisher(other).publish([theirs])))

    assert Publisher(folder).publish([stage(folder, "h-1")]) == 0
    proven(tmp_path)


def test_another_publisher_may_finish_our_renames(tmp_path):
    """Without a working lock it comes between our commit and our first rename."""
    other = hooked_folder(tmp_path, lock="fails")
    theirs = stage(other, "h-2")
    folder = hooked_folder(tmp_path, lock="fails", rename=once(lambda: Publisher(other).publish([theirs])))

    assert Publisher(folder).publish([stage(folder, "h-1")]) == 1
    assert proven(tmp_path).captured_files == 2


@pytest.mark.parametrize("step", ["write", "link", "sync", "rename"])
def test_a_disk_that_refuses_once_loses_nothing(tmp_path, step):
    def refuse() -> None:
        raise OSError(28, "No space left on device")

    folder = hooked_folder(tmp_path, **{step: once(refuse)})
    staged = stage(folder, "h-1")
    publisher = Publisher(folder)

    with pytest.raises(OSError, match="No space left"):
        publisher.publish([staged])

    assert publisher.publish([staged]) in (0, 1)
    assert proven(tmp_path).received == 4


def test_dropping_a_staging_folder_after_the_commit_loses_nothing(tmp_path):
    def refuse() -> None:
        raise OSError(5, "Input/output error")

    folder = hooked_folder(tmp_path, rename=once(refuse))
    staged = stage(folder, "h-1")
    publisher = Publisher(folder)
    with pytest.raises(OSError, match="Input/output"):
        publisher.publish([staged])

    folder.drop_staging(staged.staging)
    publisher.recover()

    assert folder.stagings() == []
    assert proven(tmp_path).received == 4


def test_what_a_failed_round_staged_goes_with_the_next(tmp_path):
    def refuse() -> None:
        raise OSError(28, "No space left on device")

    folder = hooked_folder(tmp_path, link=once(refuse))
    publisher = Publisher(folder)
    with pytest.raises(OSError, match="No space left"):
        publisher.publish([stage(folder, "h-1")])

    publisher.publish([stage(folder, "h-2")])

    assert folder.stagings() == []
    assert list(fold(tmp_path).records) == ["h-2"]
    assert proven(tmp_path).received == 4


def test_a_staging_folder_that_was_never_given_away_can_be_dropped(tmp_path):
    folder = hooked_folder(tmp_path)
    staged = stage(folder, "h-1")

    folder.drop_staging(staged.staging)

    assert folder.stagings() == []


def test_outputs_that_are_only_rejected_files_are_published(tmp_path):
    folder = hooked_folder(tmp_path)

    Publisher(folder).publish([stage(folder, "h-1", stored=0, rejected=2)])

    assert {Output} == {type(live.output) for live in fold(tmp_path).rejected.values()}
    assert proven(tmp_path).fates["rejected"] == 2
