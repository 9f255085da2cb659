"""Comparison of a bundle with its reproduction, for each kind of input that can differ."""

from dataclasses import replace
from pathlib import Path

import pytest
from msgspec import structs

from housectl.contract.bundle import Bundle
from housectl.contract.bundle_record import CARD_FILE
from housectl.contract.evidence import Evidence
from housectl.contract.golden import GoldenSource
from housectl.contract.reference import REFERENCE_FILE
from housectl.contract.seal_output import SealOutput
from housectl.errors import ExitStatus
from housectl.reproduction.comparison import compare_files, compare_inputs
from housectl.reproduction.result import Reproduction
from tests.server.bundles import make_bundle
from tests.store.contract import evidence_of

DIGEST = "a" * 64
OTHER = "b" * 64


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    return with_provenance(
        make_bundle(tmp_path),
        housectl="1.0.0",
        code=DIGEST,
        lock=DIGEST,
        image_digest=f"sha256:{DIGEST}",
        golden=GoldenSource.DATA,
        processor="A",
    )


def with_provenance(bundle: Bundle, **fields: object) -> Bundle:
    provenance = structs.replace(bundle.record.provenance, **fields)
    return replace(bundle, record=structs.replace(bundle.record, provenance=provenance))


def reproduction(
    bundle: Bundle, sealed: Bundle, *, evidence: Evidence | None, new_evidence: Evidence
) -> Reproduction:
    output = SealOutput(bundle=sealed, evidence=new_evidence)
    return Reproduction(
        bundle=bundle,
        reproduced_digest=sealed.digest,
        files=compare_files(bundle, evidence, output),
        differing_inputs=compare_inputs(bundle, evidence, output),
    )


def reproduced_as(bundle: Bundle, sealed: Bundle) -> Reproduction:
    evidence = evidence_of(bundle)
    return reproduction(bundle, sealed, evidence=evidence, new_evidence=evidence)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("golden", GoldenSource.SYNTHETIC),
        ("lock", OTHER),
        ("housectl", "2.0.0"),
        ("code", OTHER),
        ("image_digest", f"sha256:{OTHER}"),
        ("python", "3.12"),
        ("platform", "macOS"),
        ("processor", "B"),
    ],
)
def test_different_environment_is_named_although_all_files_are_equal(
    bundle: Bundle, field: str, value: object
) -> None:
    result = reproduced_as(bundle, with_provenance(bundle, **{field: value}))
    assert result.identical
    assert result.status is ExitStatus.OK
    (difference,) = result.differing_inputs
    assert difference.input == field.replace("_", " ")
    assert str(difference.recorded) in str(getattr(bundle.record.provenance, field))
    assert str(difference.reproduced) in str(value)


def test_origin_and_time_are_no_inputs(bundle: Bundle) -> None:
    other = with_provenance(bundle, sealed_at="2030-01-01", experiment="e", trial="t", backend="k")
    assert reproduced_as(bundle, other).differing_inputs == ()


def with_numpy(bundle: Bundle, version: str) -> Bundle:
    recipe = structs.replace(bundle.record.recipe, libraries={"numpy": version})
    record = structs.replace(bundle.record, recipe=recipe)
    return replace(bundle, record=record, digest=record.digest)


def test_different_files_and_libraries_are_named(bundle: Bundle, tmp_path: Path) -> None:
    other = make_bundle(tmp_path / "other", base=21.0)
    result = reproduced_as(with_numpy(bundle, "8"), with_numpy(other, "9"))
    assert not result.identical
    assert result.status is ExitStatus.BUNDLE
    assert "model.onnx" in {file.file for file in result.files if not file.equal}
    assert "recipe libraries.numpy (8, now 9)" in result.reason


def test_evidence_of_another_recipe_contradicts_the_record(bundle: Bundle) -> None:
    own = evidence_of(bundle)
    recorded = structs.replace(own, recipe=structs.replace(own.recipe, seed=own.recipe.seed + 1))
    result = reproduction(bundle, bundle, evidence=recorded, new_evidence=own)
    assert [file.file for file in result.files if not file.equal] == ["evidence.json"]
    assert "evidence.json: recipe seed (" in result.reason


def test_missing_evidence_is_not_compared(bundle: Bundle) -> None:
    result = reproduction(bundle, bundle, evidence=None, new_evidence=evidence_of(bundle))
    assert result.identical
    assert "evidence.json" not in {file.file for file in result.files}


def test_missing_file_differs(bundle: Bundle) -> None:
    record = structs.replace(bundle.record, files={**bundle.record.files, CARD_FILE: DIGEST})
    result = reproduced_as(replace(bundle, record=record, digest=record.digest), bundle)
    (card,) = [file for file in result.files if file.file == CARD_FILE]
    assert (card.recorded, card.reproduced, card.equal) == (DIGEST, None, False)


def test_reference_is_not_compared_with_a_bundle_that_has_none(bundle: Bundle) -> None:
    files = {**bundle.record.files, REFERENCE_FILE: DIGEST}
    record = structs.replace(bundle.record, schema_version=2, files=files)
    later = replace(bundle, record=record, digest=record.digest)
    assert later.digest != bundle.digest
    assert reproduced_as(bundle, later).identical
    assert not reproduced_as(later, bundle).identical


def test_reason_tells_unrecorded_inputs_from_equal_ones(bundle: Bundle, tmp_path: Path) -> None:
    other = make_bundle(tmp_path / "other", base=21.0)
    same = replace(other, record=structs.replace(other.record, provenance=bundle.record.provenance))
    assert "No recorded input differs" in reproduced_as(bundle, same).reason
    earlier = with_provenance(bundle, lock=None, code=None)
    reason = reproduced_as(earlier, same).reason
    assert "Inputs that the bundle does not record: lock, code." in reason
