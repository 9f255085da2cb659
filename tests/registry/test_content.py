"""The content of a registry, and the page that documents it."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from housectl.registry.wanted import CHAMPION_PROPERTY, HISTORY_PROPERTY
from tests.docs.pages import DOCS, code_spans, rows
from tests.registry.conftest import Mirrored, text
from tests.server.bundles import make_bundle, promote

PAGE = DOCS / "registry.md"
PROVENANCE = {
    "experiment": "weekly",
    "trial": "0028",
    "backend": "katib",
    "image": "registry.example:5000/trainer:v1",
    "image_digest": f"sha256:{'a' * 64}",
    "commit": "b" * 40,
    "lock": "c" * 64,
}


def set_provenance(mirrored: Mirrored, **fields: str) -> None:
    """Replace provenance of the champion's bundle, which its digest does not cover."""
    path = mirrored.project.store / "bundles" / mirrored.bundles[2].digest / "bundle.json"
    record = json.loads(path.read_text())
    path.write_text(json.dumps(record | {"provenance": record["provenance"] | fields}))


def properties(item: Mapping[str, object]) -> set[str]:
    found = item["customProperties"]
    assert isinstance(found, dict)
    return set(found)


def listed(first_column: str) -> set[str]:
    return {name for row in rows(PAGE, first_column) for name in code_spans(row[0])}


def test_each_property_is_listed(mirrored: Mirrored) -> None:
    set_provenance(mirrored, **PROVENANCE)
    mirrored.sync()
    assert properties(mirrored.version(2)) | {"override"} == listed("property of a ModelVersion")
    assert properties(mirrored.model()) == listed("property of the RegisteredModel")
    assert properties(mirrored.model()) == {CHAMPION_PROPERTY, HISTORY_PROPERTY}


def test_override_is_a_property_of_its_version(mirrored: Mirrored, tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "override", base=30.0)
    promote(mirrored.store, bundle, override="the new town")
    mirrored.sync()
    assert "override" not in properties(mirrored.version(2))
    version = replace(mirrored, bundles=[bundle]).version(0)
    assert text(version, "override") == "the new town"
    assert version["description"] == "Promoted against the verdict: the new town Verdict: a test"
    assert not mirrored.sync()


def test_origin_is_that_of_the_bundle(mirrored: Mirrored) -> None:
    set_provenance(mirrored, **PROVENANCE)
    mirrored.sync()
    version, artifact = mirrored.version(2), mirrored.artifact(2)
    assert text(version, "trial") == "0028"
    assert text(version, "image") == PROVENANCE["image"]
    assert text(version, "image_digest") == PROVENANCE["image_digest"]
    assert text(version, "git_commit") == PROVENANCE["commit"]
    source = {name: value for name, value in artifact.items() if name.startswith("modelSource")}
    assert source == {
        "modelSourceKind": "katib",
        "modelSourceClass": "experiment",
        "modelSourceGroup": "boston",
        "modelSourceId": "weekly/0028",
        "modelSourceName": "weekly",
    }


def test_digest_of_a_reference_is_that_of_the_image(mirrored: Mirrored) -> None:
    set_provenance(mirrored, image=f"registry.example/trainer@sha256:{'d' * 64}")
    mirrored.sync()
    assert text(mirrored.version(2), "image_digest") == f"sha256:{'d' * 64}"


def test_unknown_origin_is_left_out(mirrored: Mirrored) -> None:
    mirrored.sync()
    missing = {"experiment", "trial", "backend", "image", "image_digest", "lock_digest"}
    assert properties(mirrored.version(2)) & missing == set()
    assert "modelSourceId" not in mirrored.artifact(2)


def test_states_of_status_are_listed(mirrored: Mirrored) -> None:
    states = {code_spans(state)[0] for state, *_ in rows(PAGE, "state")}
    assert states == {"same", "missing", "different", "foreign"}
    assert set(mirrored.states().values()) <= states
