"""Synchronisation of a registry with a history, over HTTP."""

from concurrent.futures import ThreadPoolExecutor

import pytest

import housectl
from housectl.contract.history import Action
from housectl.errors import RegistryRejectedError, RegistryUnavailableError
from tests.registry.conftest import Mirrored, text
from tests.server.bundles import promote
from tools.s3_server import S3Server

CREATIONS = 1 + 2 * 3
REQUESTS = 19


def foreign(value: str = "theirs") -> dict[str, object]:
    return {"metadataType": "MetadataStringValue", "string_value": value}


def test_sync_creates_what_the_history_has(mirrored: Mirrored) -> None:
    first, second, third = mirrored.versions
    assert mirrored.sync() == [
        "created model boston",
        *(
            f"created {name}"
            for version in (first, second, third)
            for name in (f"version {version}", f"artifact {version}/model.onnx")
        ),
        "changed model boston",
    ]
    model, version, artifact = mirrored.model(), mirrored.version(2), mirrored.artifact(2)
    assert (model["state"], mirrored.champion()) == ("LIVE", third)
    bundle, entry = mirrored.bundles[2], mirrored.store.history()[2]
    assert (version["author"], version["description"]) == (entry.by, "a test")
    assert text(version, "digest") == bundle.digest
    assert text(version, "promoted_at") == entry.at
    assert text(version, "family") == "random-forest"
    assert text(version, "data_digest") == "0" * 64
    assert version["customProperties"]["mse"]["double_value"] == 9.5  # type: ignore[index]
    assert version["customProperties"]["holdout_mse"]["double_value"] == 9  # type: ignore[index]
    assert (artifact["name"], artifact["state"]) == ("model.onnx", "LIVE")
    assert artifact["uri"] == mirrored.store.bundle_uri(bundle.digest)
    assert (artifact["modelFormatName"], artifact["modelFormatVersion"]) == ("onnx", "18")
    assert artifact["modelSourceGroup"] == "boston"
    assert text(artifact, "sha256") == bundle.record.files["model.onnx"]


def test_second_sync_writes_nothing(mirrored: Mirrored) -> None:
    assert len(mirrored.sync()) == CREATIONS + 1
    mirrored.server.set_faults()
    assert mirrored.sync() == []
    assert mirrored.server.writes() == []
    assert set(mirrored.states().values()) == {"same"}


def test_versions_are_created_in_the_order_of_their_promotion(mirrored: Mirrored) -> None:
    mirrored.sync()
    parent = mirrored.model()["id"]
    listed = mirrored.server.items(f"/registered_models/{parent}/versions")
    assert [each["name"] for each in listed] == mirrored.versions


def test_rollback_moves_only_the_champion(mirrored: Mirrored) -> None:
    mirrored.sync()
    mirrored.promote(mirrored.bundles[0], action=Action.ROLLBACK)
    assert mirrored.states()["boston"] == "different"
    assert mirrored.sync() == ["changed model boston"]
    assert mirrored.champion() == mirrored.versions[0]
    assert mirrored.version(2)["state"] == "LIVE"


@pytest.mark.parametrize("when", ["before", "after"])
def test_sync_continues_after_a_cut_at_any_request(mirrored: Mirrored, when: str) -> None:
    for number in range(1, REQUESTS + 1):
        name = f"cut-at-{number}"
        mirrored.server.set_faults(cut=number, when=when)
        with pytest.raises(RegistryUnavailableError):
            mirrored.sync(name)
        mirrored.server.set_faults()
        mirrored.sync(name)
        mirrored.server.set_faults()
        assert mirrored.sync(name) == []
        assert mirrored.server.writes() == []
        assert set(mirrored.states(name).values()) == {"same"}
        assert mirrored.champion(name) == mirrored.versions[2]
        for index in range(3):
            mirrored.artifact(index, name)


def test_number_of_cut_requests_is_that_of_a_sync(mirrored: Mirrored) -> None:
    mirrored.sync()
    assert len(mirrored.server.requests()) == REQUESTS


def test_objects_of_a_faster_client_are_used(mirrored: Mirrored) -> None:
    mirrored.server.set_faults(rival=True)
    assert mirrored.sync() == ["changed model boston"]
    assert set(mirrored.states().values()) == {"same"}


def test_syncs_at_once_create_each_object_once(mirrored: Mirrored) -> None:
    with ThreadPoolExecutor(6) as executor:
        changes = [
            change for each in executor.map(lambda _: mirrored.sync(), range(6)) for change in each
        ]
    created = [change for change in changes if change.startswith("created")]
    assert len(created) == len(set(created)) == CREATIONS
    assert set(mirrored.states().values()) == {"same"}


def test_promotion_during_a_sync_is_mirrored(mirrored: Mirrored) -> None:
    first = mirrored.bundles[0]

    def promote_once(share: float) -> None:
        if share == 1.0 and len(mirrored.store.history()) == 3:
            mirrored.promote(first, action=Action.ROLLBACK)

    mirrored.mirror().sync(report=promote_once)
    assert mirrored.champion() == first.version


def test_properties_of_other_owners_are_kept(mirrored: Mirrored) -> None:
    mirrored.sync()
    paths = (
        f"/registered_models/{mirrored.model()['id']}",
        f"/model_versions/{mirrored.version(0)['id']}",
        f"/model_artifacts/{mirrored.artifact(0)['id']}",
    )
    theirs = {"number": {"metadataType": "MetadataDoubleValue", "double_value": 0.1 + 0.2}}
    for path in paths:
        mirrored.server.api("PATCH", path, customProperties={"t": foreign(), **theirs})
    assert set(mirrored.states().values()) == {"different", "same"}
    mirrored.sync()
    assert set(mirrored.states().values()) == {"same"}
    for path in paths:
        properties = mirrored.server.api("GET", path)["customProperties"]
        assert properties.items() >= {"t": foreign(), **theirs}.items()  # type: ignore[attr-defined]


def test_edited_words_are_kept(mirrored: Mirrored) -> None:
    mirrored.sync()
    path = f"/registered_models/{mirrored.model()['id']}"
    mirrored.server.api("PATCH", path, description="edited", owner="me")
    assert mirrored.sync() == []


def test_states_are_repaired(mirrored: Mirrored) -> None:
    mirrored.sync()
    model, version, artifact = mirrored.model(), mirrored.version(1), mirrored.artifact(0)
    mirrored.server.api("PATCH", f"/registered_models/{model['id']}", state="ARCHIVED")
    mirrored.server.api("PATCH", f"/model_versions/{version['id']}", state="ARCHIVED")
    changed = mirrored.server.api("PATCH", f"/model_artifacts/{artifact['id']}", uri="s3://other")
    assert changed["state"] == "UNKNOWN"
    lines = {line.name: line.differences for line in mirrored.mirror().compare().lines}
    first, second, third = mirrored.versions
    assert set(lines.pop(first)) == {"artifact.state", "artifact.uri"}
    assert lines == {"boston": ("state",), second: ("state",), third: ()}
    mirrored.sync()
    assert mirrored.artifact(0)["state"] == "LIVE"
    assert set(mirrored.states().values()) == {"same"}


def test_version_without_artifact_is_repaired(mirrored: Mirrored) -> None:
    model = mirrored.server.api("POST", "/registered_models", name="boston")
    mirrored.server.api(
        "POST", "/model_versions", name=mirrored.versions[0], registeredModelId=model["id"]
    )
    lines = {line.name: line for line in mirrored.mirror().compare().lines}
    assert "artifact" in lines[mirrored.versions[0]].differences
    assert lines[mirrored.versions[1]].state.value == "missing"
    mirrored.sync()
    assert set(mirrored.states().values()) == {"same"}


def test_foreign_versions_on_several_pages_are_listed_and_kept(mirrored: Mirrored) -> None:
    mirrored.sync()
    parent = mirrored.model()["id"]
    names = {f"their-{number}" for number in range(150)}
    for name in sorted(names):
        mirrored.server.api("POST", "/model_versions", name=name, registeredModelId=parent)
    mirrored.promote(mirrored.bundles[0], action=Action.ROLLBACK)
    mirrored.sync()
    states = mirrored.states()
    assert {name for name, state in states.items() if state == "foreign"} == names
    assert mirrored.mirror().compare().in_sync


def test_changes_that_another_owner_drops_are_repeated(mirrored: Mirrored) -> None:
    mirrored.server.set_faults(drop=2)
    mirrored.sync()
    assert mirrored.champion() == mirrored.versions[2]
    assert text(mirrored.model(), "theirs") == "theirs"


def test_endless_contest_for_the_model_is_an_error(mirrored: Mirrored) -> None:
    mirrored.server.set_faults(drop=1000)
    with pytest.raises(RegistryRejectedError, match="does not keep the content of boston"):
        mirrored.sync()


def test_model_of_another_history_is_not_taken(mirrored: Mirrored) -> None:
    mirrored.sync()
    model = mirrored.model()
    mark = {"housectl.history": foreign("2020-01-01T00:00:00+00:00")}
    mirrored.server.api("PATCH", f"/registered_models/{model['id']}", customProperties=mark)
    mirrored.server.set_faults()
    with pytest.raises(RegistryRejectedError, match="belongs to another project"):
        mirrored.sync()
    assert mirrored.server.writes() == []
    assert mirrored.states()["boston"] == "different"
    assert len(mirrored.sync("boston-2")) == CREATIONS + 1


def test_name_is_any_text(mirrored: Mirrored) -> None:
    name = "a/b:c 'ü' & ?#" + "n" * 200
    mirrored.sync(name)
    assert mirrored.sync(name) == []
    assert mirrored.states(name)[name] == "same"


def test_champions_in_object_storage(
    mirrored: Mirrored, s3: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in s3.environment.items():
        monkeypatch.setenv(name, value)
    address = f"s3://{s3.new_bucket()}/houses"
    settings = {"registry.url": mirrored.server.url, "registry.name": "houses"}
    project = housectl.open(mirrored.project.path, store=address, settings=settings)
    for bundle in mirrored.bundles:
        promote(project.context.store, bundle)
    project.sync_registry()
    assert project.sync_registry().changes == ()
    uri = mirrored.artifact(2, "houses")["uri"]
    assert uri == f"{address}/bundles/{mirrored.bundles[2].digest}"


def test_history_without_entries_needs_nothing(mirrored: Mirrored) -> None:
    for path in mirrored.project.store.glob("history/*"):
        path.unlink()
    assert mirrored.sync() == []
    assert mirrored.states() == {}
