"""Commands that update the registry, compare it and check it, as processes."""

from contextlib import ExitStack
from pathlib import Path

import pytest

from housectl.contract.history import Action
from housectl.errors import ExitStatus
from tests.registry.conftest import Mirrored, text
from tests.server.running import running
from tests.servers.model_registry import RegistryServer
from tests.servers.registry_answers import API
from tests.verification.impostor import Reply, Request, Upstream, impostor
from tools.project_directory import CommandOutput, ProjectDirectory

WARNING = "warning: The model registry was not updated: "


@pytest.fixture
def project(mirrored: Mirrored) -> ProjectDirectory:
    mirrored.project.edit_config(registry={"url": mirrored.server.url})
    return mirrored.project


def check(output: CommandOutput, name: str) -> dict[str, str]:
    checks = output.json["checks"]
    assert isinstance(checks, list)
    (row,) = (each for each in checks if each["check"] == name)
    found: dict[str, str] = row
    return found


def test_rollback_updates_the_registry(mirrored: Mirrored, project: ProjectDirectory) -> None:
    output = project.run_ok("rollback", "--json")
    assert (output.json["version"], output.err) == (mirrored.versions[1], "")
    assert mirrored.champion() == mirrored.versions[1]
    assert set(mirrored.states().values()) == {"same"}


def test_refused_rollback_does_not_update_the_registry(
    mirrored: Mirrored, project: ProjectDirectory
) -> None:
    assert project.run("rollback", "--to", mirrored.versions[2]).status == ExitStatus.USAGE
    assert mirrored.server.requests() == []


def test_closed_port_never_fails_a_rollback(
    mirrored: Mirrored, project: ProjectDirectory, unused_url: str
) -> None:
    output = project.run_ok(
        "rollback", "--registry-url", unused_url, "-C", str(project.path), "--json"
    )
    assert output.json["version"] == mirrored.versions[1]
    assert output.err.startswith(
        f"{WARNING}The model registry {unused_url} is unavailable: [Errno 111]"
    )
    sync = f"housectl registry sync -C {project.path} --registry-url {unused_url}"
    assert f"hint:    {sync}\n" in output.err
    assert mirrored.server.requests() == []


@pytest.mark.slow
def test_promotion_and_rejection(
    project_with_challenger: ProjectDirectory, server: RegistryServer, tmp_path: Path
) -> None:
    server.reset()
    project = project_with_challenger.copy(tmp_path / "boston")
    options = ("--registry-url", server.url, "--registry-name", "houses", "--json")
    promoted = project.run_ok("promote", *options).json
    model = server.api("GET", "/registered_model?name=houses")
    assert text(model, "housectl.champion") == promoted["challenger"]
    versions = server.items(f"/registered_models/{model['id']}/versions")
    assert [each["name"] for each in versions] == [promoted["champion"], promoted["challenger"]]
    assert text(versions[1], "experiment") == "good"
    assert text(versions[1], "backend") == "local"
    (artifact,) = server.items(f"/model_versions/{versions[1]['id']}/artifacts")
    assert artifact["modelSourceName"] == "good"
    assert str(artifact["modelSourceId"]).startswith("good/")
    server.set_faults()
    assert project.run("promote", *options).status == ExitStatus.CHAMPION_KEPT
    assert server.requests() == []


@pytest.mark.slow
def test_rollback_of_verify_updates_the_registry(
    mirrored: Mirrored, project: ProjectDirectory, tmp_path: Path
) -> None:
    third = mirrored.bundles[2].digest

    def answer(request: Request) -> Reply:
        reply = upstream(request)
        if request.is_prediction and reply.headers["x-model-digest"] == third:
            return reply.with_json({"predicted_price": 1.5})
        return reply

    with ExitStack() as stack:
        server = stack.enter_context(running(mirrored.store.path, tmp_path / "output.txt"))
        upstream = Upstream(server.url)
        url = stack.enter_context(impostor(answer))
        output = project.run("verify", "--url", url, "--rollback-on-failure", "--json")
    assert output.status == ExitStatus.VERIFICATION_FAILED
    assert output.json["rolled_back_to"] == mirrored.bundles[1].digest
    assert mirrored.champion() == mirrored.versions[1]


def test_status_and_sync(mirrored: Mirrored, project: ProjectDirectory) -> None:
    missing = project.run("registry", "status", "--json")
    assert missing.status == ExitStatus.VERIFICATION_FAILED
    assert missing.json["in_sync"] is False
    assert missing.json["registry_champion"] is None
    assert [line["state"] for line in rows(missing, "objects")] == ["missing"] * 4
    synced = project.run_ok("registry", "sync", "--json")
    assert len(rows(synced, "changes")) == 8
    assert rows(synced, "changes")[-1]["differences"] == ["housectl.champion"]
    again = project.run_ok("registry", "sync", "--json")
    assert rows(again, "changes") == []
    assert "The registry has everything already." in project.run_ok("registry", "sync").err
    same = project.run_ok("registry", "status", "--json").json
    assert same["champion"] == same["registry_champion"] == mirrored.versions[2]
    mirrored.promote(mirrored.bundles[0], action=Action.ROLLBACK)
    different = project.run("registry", "status")
    assert different.status == ExitStatus.VERIFICATION_FAILED
    assert "housectl.champion" in different.out
    assert "Next: housectl registry sync" in different.err


def rows(output: CommandOutput, key: str) -> list[dict[str, object]]:
    found = output.json[key]
    assert isinstance(found, list)
    return found


@pytest.mark.parametrize("command", ["status", "sync"])
def test_project_without_a_registry(mirrored: Mirrored, command: str) -> None:
    output = mirrored.project.run("registry", command)
    assert output.status == ExitStatus.USAGE
    assert "`registry.url` is not set" in output.err
    assert "--registry-url http://127.0.0.1:8080" in output.err


@pytest.mark.parametrize("command", ["status", "sync"])
def test_unavailable_registry_has_its_own_status(
    mirrored: Mirrored, project: ProjectDirectory, command: str
) -> None:
    mirrored.server.set_faults(database="away")
    output = project.run("registry", command, "--json")
    assert output.status == ExitStatus.SERVER_UNREACHABLE
    assert output.json["error"]["reference"] == "registry-unavailable"  # type: ignore[index]


def test_token_is_sent_and_never_shown(
    mirrored: Mirrored, project: ProjectDirectory, tmp_path: Path
) -> None:
    token = "a.secret-token"
    file = tmp_path / "token"
    file.write_text(f"{token}\n")
    mirrored.server.set_faults(token=token)
    by_variable = project.run("registry", "sync", HOUSECTL_REGISTRY_TOKEN=token)
    by_file = project.run("registry", "status", "--registry-token-file", str(file))
    wrong = project.run("registry", "status", HOUSECTL_REGISTRY_TOKEN="wrong.secret")
    invalid = project.run("registry", "status", HOUSECTL_REGISTRY_TOKEN="se\ncret")
    outputs = (by_variable, by_file, wrong, invalid)
    assert [each.status for each in outputs] == [0, 0, ExitStatus.CLUSTER, ExitStatus.USAGE]
    for output in outputs:
        assert "secret" not in output.out + output.err
        assert "cret" not in output.out + output.err.replace("secret", "")


def test_doctor_changes_nothing(mirrored: Mirrored, project: ProjectDirectory) -> None:
    mirrored.sync()
    before = mirrored.server.content()
    mirrored.server.set_faults()
    row = check(project.run("doctor", "--json"), "registry")
    assert row["result"] == "ok", row
    assert row["found"].endswith("is healthy and accepts writes; the model is boston")
    assert mirrored.server.writes() == []
    assert mirrored.server.content() == before


@pytest.mark.parametrize(
    ("faults", "cause", "status"),
    [
        ({"read_only": True}, "403 RBAC: access denied", ExitStatus.CLUSTER),
        ({"token": "secret"}, "401 Jwt is missing", ExitStatus.CLUSTER),
        ({"database": "away"}, "503", ExitStatus.SERVER_UNREACHABLE),
        (
            {"reply": (200, {}, "hello"), "path": "/"},
            "is not that of a Kubeflow Model Registry",
            ExitStatus.CLUSTER,
        ),
        (
            {"reply": (201, {}, "{}"), "path": f"{API}/registered_models"},
            "rejects a request",
            ExitStatus.CLUSTER,
        ),
    ],
    ids=["read-only", "token", "database", "other server", "accepts anything"],
)
def test_doctor_names_the_problem(
    mirrored: Mirrored,
    project: ProjectDirectory,
    faults: dict[str, object],
    cause: str,
    status: ExitStatus,
) -> None:
    mirrored.server.set_faults(**faults)
    output = project.run("doctor", "--json")
    assert output.status == status
    row = check(output, "registry")
    assert row["result"] == "failed"
    assert cause in row["found"]


def test_doctor_warns_of_a_token_without_encryption(
    mirrored: Mirrored, project: ProjectDirectory
) -> None:
    mirrored.server.set_faults(token="secret")
    # This machine, but not by one of its loopback addresses.
    url = mirrored.server.url.replace("127.0.0.1", "0.0.0.0")
    environment = {"HOUSECTL_REGISTRY_TOKEN": "secret", "NO_PROXY": "*"}
    row = check(project.run("doctor", "--registry-url", url, "--json", **environment), "registry")
    assert row["result"] == "warning"
    assert row["found"] == f"The token is sent to {url} without encryption."


def test_doctor_without_a_registry_has_no_such_check(mirrored: Mirrored) -> None:
    output = mirrored.project.run("doctor", "--json")
    assert '"registry"' not in output.out
