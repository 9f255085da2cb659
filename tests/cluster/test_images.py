"""The images as the cluster runs them: what they hold, who they are, what they weigh."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from housectl.contract.families import Family
from tests.cluster.pods import new_namespace, run_pod
from tools.dev_cluster.images import SERVER_IMAGE, TRAINER_IMAGE
from tools.dev_cluster.kubectl import kubectl
from tools.project_directory import example

UID = 10001
MEGABYTE = 10**6

# Prints what the image is: its user, the packages that can be imported, the bytes of its files.
PORTRAIT = """
import json, os, pkgutil, sys

def size(top):
    device, seen, total = os.lstat(top).st_dev, set(), 0
    for directory, names, files in os.walk(top):
        names[:] = [n for n in names if os.lstat(os.path.join(directory, n)).st_dev == device]
        for name in files:
            found = os.lstat(os.path.join(directory, name))
            if found.st_dev == device and found.st_ino not in seen:
                seen.add(found.st_ino)
                total += found.st_size
    return total

import housectl
site = [path for path in sys.path if path.endswith("site-packages")]
print(json.dumps({
    "uid": os.getuid(),
    "size": size("/"),
    "packages": sorted(each.name for each in pkgutil.iter_modules(site)),
    "housectl": sorted(each.name for each in pkgutil.iter_modules(housectl.__path__)),
    "bytecode": os.path.exists(housectl.__cached__),
}))
"""
NEEDED = {
    TRAINER_IMAGE: {
        "joblib",
        "msgspec",
        "numpy",
        "onnx",
        "onnxruntime",
        "scipy",
        "sklearn",
        "xgboost",
    },
    SERVER_IMAGE: {
        "fastapi",
        "httptools",
        "msgspec",
        "numpy",
        "onnxruntime",
        "pydantic",
        "uvicorn",
    },
}
NEVER = {"kubernetes", "optuna", "pandas", "pip", "rich", "setuptools", "typer", "yaml"}
UNWANTED = {
    TRAINER_IMAGE: {*NEVER, "fastapi", "housectl_server", "pydantic", "uvicorn"},
    SERVER_IMAGE: {*NEVER, "joblib", "onnx", "scipy", "housectl_trainer", "sklearn", "xgboost"},
}
LIMITS = {TRAINER_IMAGE: 600 * MEGABYTE, SERVER_IMAGE: 330 * MEGABYTE}


CHECKSUM = "model.sha256"


@pytest.fixture(scope="module")
def namespace() -> Iterator[str]:
    with new_namespace() as name:
        yield name


@pytest.mark.parametrize("image", [TRAINER_IMAGE, SERVER_IMAGE])
def test_an_image_holds_what_it_needs_and_no_more(image: str, namespace: str) -> None:
    found = json.loads(run_pod(namespace, image, ["python", "-c", PORTRAIT]))
    packages = set(found["packages"])
    assert packages >= NEEDED[image]
    assert not packages & UNWANTED[image]
    assert found["housectl"] == ["contract", "errors"]
    assert found["bytecode"]
    assert found["uid"] == UID
    assert found["size"] <= LIMITS[image]


@pytest.fixture(scope="module")
def inputs(namespace: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Boston's inputs, here and as the ConfigMap `inputs`."""
    project = example(".", tmp_path_factory.mktemp("inputs") / "boston")
    project.run_ok("render")
    (path,) = (project.path / ".housectl" / "inputs").iterdir()
    kubectl("create", "configmap", "inputs", f"--from-file={path}", f"--namespace={namespace}")
    return path


@pytest.mark.parametrize("family", Family)
def test_a_trial_in_the_image_gives_the_bytes_of_this_machine(
    family: Family, inputs: Path, namespace: str, tmp_path: Path
) -> None:
    trial = ("-m", "housectl_trainer", "trial", f"--family={family}", "n_estimators=20")
    here = subprocess.run(
        [sys.executable, *trial, f"--inputs={inputs}", f"--output={tmp_path / 'out'}"],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    checksum = (tmp_path / "out" / CHECKSUM).read_text()
    there = f"/inputs/{inputs.name}"
    script = (
        f"python {' '.join(trial)} --inputs={there} --output=/out/0 && cd /out/0 && "
        f"sha256sum --check --quiet {CHECKSUM} && cat {CHECKSUM}"
    )
    said = run_pod(
        namespace,
        TRAINER_IMAGE,
        ["sh", "-c", script],
        mounts={there: {"configMap": {"name": "inputs"}}, "/out": {"emptyDir": {}}},
    ).splitlines()
    assert said[-2] == here.stdout.splitlines()[-1]
    assert said[-1] == checksum.rstrip("\n")
