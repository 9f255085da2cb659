"""`housectl cluster init` registers the algorithm in katib-config, and changes nothing else."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import yaml

from housectl.backends.katib.registration.config_text import with_algorithm
from housectl.backends.katib.registration.entry import algorithm_entry
from housectl.backends.katib.registration.registration import Registration
from housectl.errors import ExitStatus, ForbiddenError
from tests.cluster.accounts import write_kubeconfig
from tests.cluster.backend import SMALL_PODS
from tests.cluster.test_doctor import Row, checks_by_name, doctor
from tools.dev_cluster.images import SUGGESTION_IMAGE, TRAINER_IMAGE
from tools.dev_cluster.kubectl import kubectl, kubectl_environment
from tools.project_directory import CommandOutput, ProjectDirectory, example

# Searches of other tests need the entry.
pytestmark = pytest.mark.alone

KEY = "katib-config.yaml"
MAP = ("configmap/katib-config", "--namespace=kubeflow")


def config() -> str:
    data = json.loads(kubectl("get", *MAP, "--output=json"))["data"]
    text = data[KEY]
    assert isinstance(text, str)
    return text


def version() -> str:
    return kubectl("get", *MAP, "--output=jsonpath={.metadata.resourceVersion}")


def write(text: str) -> None:
    kubectl("patch", *MAP, "--type=merge", f"--patch={json.dumps({'data': {KEY: text}})}")


@pytest.fixture
def unregistered() -> Iterator[str]:
    """Remove the algorithm from Katib's configuration; yield the text without it."""
    before = config()
    settings = yaml.safe_load(before)
    listed = settings["runtime"]["suggestions"]
    others = [each for each in listed if each["algorithmName"] != "housectl"]
    settings["runtime"]["suggestions"] = others
    text = f"# a comment\n{yaml.safe_dump(settings)}# the end\n"
    write(text)
    yield text
    write(before)


@pytest.fixture
def project(namespace: str, tmp_path: Path) -> ProjectDirectory:
    return example(
        ".", tmp_path / "boston", backend="katib", katib={"namespace": namespace, **SMALL_PODS}
    )


def init(project: ProjectDirectory, *options: str) -> CommandOutput:
    return project.run_ok("cluster", "init", *options, **kubectl_environment())


def result(output: CommandOutput) -> object:
    objects = output.json["objects"]
    assert isinstance(objects, list)
    return objects[-1]


def test_registration_changes_nothing_else(project: ProjectDirectory, unregistered: str) -> None:
    preview = init(project, "--dry-run").out
    assert "# +  - algorithmName: housectl" in preview
    assert f"# +    image: {SUGGESTION_IMAGE}" in preview
    assert all(yaml.safe_load_all(preview))
    assert config() == unregistered

    registered = {"object": "configmaps/katib-config", "result": "registered"}
    assert result(init(project, "--json")) == registered
    assert config() == with_algorithm(unregistered, algorithm_entry(SUGGESTION_IMAGE))

    before = version()
    assert result(init(project, "--json")) == {**registered, "result": "unchanged"}
    assert "algorithmName" not in init(project, "--dry-run").out
    assert version() == before


def test_registered_image_is_kept(project: ProjectDirectory, unregistered: str) -> None:
    expected = with_algorithm(unregistered, algorithm_entry("registry.example/suggestion:7"))
    init(project, "--suggestion-image", "registry.example/suggestion:7")
    assert config() == expected
    init(project)
    assert config() == expected


def test_changes_of_other_clients_are_kept(project: ProjectDirectory, unregistered: str) -> None:
    changes = 30
    with ThreadPoolExecutor() as pool:
        annotations = pool.map(
            lambda number: kubectl("annotate", *MAP, "--overwrite", f"housectl/test={number}"),
            range(changes),
        )
        init(project)
        assert len([*annotations]) == changes
    try:
        assert config() == with_algorithm(unregistered, algorithm_entry(SUGGESTION_IMAGE))
    finally:
        kubectl("annotate", *MAP, "housectl/test-")


def test_missing_permission_names_the_command(
    namespace: str, unregistered: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", write_kubeconfig("housectl", namespace, tmp_path / "config"))
    registration = Registration(context=None, image="x:1", command="housectl cluster init")
    assert "+    image: x:1" in registration.difference()
    with pytest.raises(ForbiddenError, match="may not patch configmaps") as caught:
        registration.apply()
    assert caught.value.hint.startswith("housectl cluster init   # run by an administrator")
    monkeypatch.undo()
    assert config() == unregistered


@pytest.mark.usefixtures("unregistered")
def test_search_names_both_options_without_the_algorithm(project: ProjectDirectory) -> None:
    output = project.run("tune", "--name", "unknown", **kubectl_environment())
    assert output.status == ExitStatus.CLUSTER
    assert "The algorithm housectl is not registered in Katib's configuration." in output.err
    assert "hint:  housectl cluster init" in output.err
    assert "housectl tune --algorithm bayesianoptimization" in output.err


def test_doctor_checks_the_registered_image(project: ProjectDirectory, unregistered: str) -> None:
    def service() -> Row:
        return checks_by_name(doctor(project, **kubectl_environment()))["service"]

    init(project, "--suggestion-image", SUGGESTION_IMAGE)
    found = service()
    assert found["result"] == "ok", found
    write(with_algorithm(unregistered, algorithm_entry(TRAINER_IMAGE)))
    found = service()
    assert found["result"] == "failed", found
    assert "No module named housectl_suggestion" in found["found"]
    assert "--suggestion-image IMAGE" in found["hint"]
