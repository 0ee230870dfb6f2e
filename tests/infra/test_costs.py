"""What a deployment costs: the arithmetic, and that the notes and the template say the same."""

from pathlib import Path

import pytest
import yaml

from connector import reference
from connector.infra import costs

INFRA = Path(__file__).parents[2] / "infra"


def line(lines: list[costs.Line], what: str) -> float:
    return next(found.usd for found in lines if found.what.startswith(what))


def test_a_single_small_event_pays_for_five_kilobytes():
    million_of_5_kb_in_gb = 1_000_000 * 5_120 / 2**30

    assert line(costs.per_million(1_000, 1), "journal") == pytest.approx(million_of_5_kb_in_gb * 0.029)
    assert line(costs.per_million(2_000, 1), "journal") == line(costs.per_million(1_000, 1), "journal")


def test_a_batch_pays_for_what_it_holds_and_for_one_request():
    single, batched = costs.per_million(2_000, 1), costs.per_million(2_000, 100)

    assert line(batched, "receiver, requests") == pytest.approx(line(single, "receiver, requests") / 100)
    assert line(batched, "journal") == pytest.approx(10_000 * 200 * 1_024 / 2**30 * 0.029)
    assert costs.total(single) > 10 * costs.total(batched)


def test_a_batch_larger_than_a_record_pays_for_a_put():
    assert line(costs.per_million(2_000, 500), "journal: straight to S3") == pytest.approx(
        2_000 * 0.005 / 1_000
    )


def test_the_notes_show_what_is_calculated():
    notes = (INFRA / "README.md").read_text(encoding="utf-8")

    assert reference.with_costs(notes) == notes


def test_it_is_calculated_with_the_memory_that_the_template_gives():
    text = (INFRA / "template.yaml").read_text(encoding="utf-8")
    parameters = yaml.safe_load(text[text.index("\nParameters:") : text.index("\nRules:")])["Parameters"]

    assert parameters["ReceiverMemoryMegabytes"]["Default"] == costs.RECEIVER_MB
    assert parameters["WriterMemoryMegabytes"]["Default"] == costs.WRITER_MB
    assert parameters["JanitorMemoryMegabytes"]["Default"] == costs.JANITOR_MB
    assert parameters["ReconcileMemoryMegabytes"]["Default"] == costs.RECONCILE_MB
    assert parameters["BufferSeconds"]["Default"] == 60
