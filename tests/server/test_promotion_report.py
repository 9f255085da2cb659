"""The description of a champion's promotion: the models that it was compared with."""

from pathlib import Path

from msgspec import structs

from housectl.contract.evidence import Evidence, evidence_key
from housectl.contract.history import Action
from housectl.store.local import LocalStore
from housectl_server.page.model_report import MAX_HISTORY, describe_model
from housectl_server.page.promotion import read_promotion
from tests.server.bundles import make_bundle, promote
from tests.server.page_bundles import page_bundle, page_evidence


def competitors(store: LocalStore) -> list[str]:
    return [each.name for each in read_promotion(store, store.history()).competitors]


def add_evidence(store: LocalStore, evidence: Evidence) -> None:
    assert evidence.bundle
    store.add_evidence(evidence, name=evidence.bundle)


def test_former_champion_with_the_same_rows_is_a_competitor(
    store: LocalStore, tmp_path: Path
) -> None:
    first, second = page_bundle(tmp_path), page_bundle(tmp_path, cheap=210.0)
    for bundle in (first, second):
        promote(store, bundle)
        add_evidence(store, page_evidence(bundle))
    assert competitors(store) == ["champion 1", "linear model", "mean of the targets"]
    # A rollback restores the result of the bundle's own promotion.
    promote(store, first, action=Action.ROLLBACK)
    promotion = read_promotion(store, store.history())
    assert promotion.entry.number == 1
    assert competitors(store) == ["linear model", "mean of the targets"]


def test_former_champion_counts_as_measured_with_the_data_of_the_challenger(
    store: LocalStore, tmp_path: Path
) -> None:
    first, second = page_bundle(tmp_path), page_bundle(tmp_path, cheap=210.0)
    promote(store, first)
    promote(store, second)
    own = page_evidence(second)
    other = structs.replace(own.recipe, data="1" * 64, assignment={"n_estimators": 2})
    former = structs.replace(page_evidence(first), recipe=other, holdout_rows="1" * 64)
    add_evidence(store, former)
    add_evidence(store, own)
    assert competitors(store) == ["linear model", "mean of the targets"]
    recipe = structs.replace(own.recipe, assignment=other.assignment)
    measured = structs.replace(own, recipe=recipe, bundle=None)
    store.add_evidence(measured, name=evidence_key(recipe))
    assert competitors(store) == ["champion 1", "linear model", "mean of the targets"]


def test_model_is_described_without_evidence_and_reference(
    store: LocalStore, tmp_path: Path
) -> None:
    bundle = make_bundle(tmp_path)
    promote(store, bundle)
    add_evidence(store, structs.replace(page_evidence(bundle), bundle=bundle.digest))
    (path,) = (store.path / "evidence").glob("*.json")
    path.write_text("{}")
    history = store.history()
    promotion = read_promotion(store, history)
    assert (promotion.errors, promotion.competitors) == (None, ())
    report = describe_model(bundle, promotion, history, serving_since="2026-01-01T00:00:00+00:00")
    assert report.errors.rmse == 3.0
    assert report.target.distribution is None
    assert {each.distribution for each in report.features} == {None}


def test_long_history_is_cut(store: LocalStore, tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path)
    entry = promote(store, bundle)
    history = [structs.replace(entry, number=number) for number in range(1, MAX_HISTORY + 3)]
    promotion = read_promotion(store, history)
    report = describe_model(bundle, promotion, history, serving_since=entry.at)
    assert [each.number for each in report.history] == [*range(3, MAX_HISTORY + 3)]
