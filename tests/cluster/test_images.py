"""The images as the cluster runs them: packages, user and size."""

import json
import pkgutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

import housectl
from housectl.contract.families import Family
from housectl.errors import ExitStatus
from tests.cluster.pods import new_namespace, run_pod
from tools.dev_cluster.images import CLI_IMAGE, SERVER_IMAGE, TRAINER_IMAGE
from tools.dev_cluster.kubectl import kubectl
from tools.project_directory import example

UID = 10001
MEGABYTE = 10**6

# Prints the user of the image, its importable packages, and the size of its files.
INSPECTION = """
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
REQUIRED = {
    TRAINER_IMAGE: {
        "joblib",
        "msgspec",
        "numpy",
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
        "obstore",
        "pydantic",
        "uvicorn",
    },
    CLI_IMAGE: {"httpx", "kubernetes", "msgspec", "numpy", "obstore", "onnxruntime", "rich"},
}
UNWANTED_EVERYWHERE = {"hatchling", "onnx", "optuna", "pandas", "pip", "setuptools"}
CLIENT_LIBRARIES = {"kubernetes", "rich", "typer", "yaml"}
TRAINING_LIBRARIES = {"joblib", "scipy", "sklearn", "xgboost"}
SERVING_LIBRARIES = {"fastapi", "uvicorn"}
UNWANTED = {
    TRAINER_IMAGE: {
        *(*UNWANTED_EVERYWHERE, *CLIENT_LIBRARIES, *SERVING_LIBRARIES),
        *("housectl_server", "pydantic"),
    },
    SERVER_IMAGE: {
        *(*UNWANTED_EVERYWHERE, *CLIENT_LIBRARIES, *TRAINING_LIBRARIES),
        "housectl_trainer",
    },
    CLI_IMAGE: {*UNWANTED_EVERYWHERE, *TRAINING_LIBRARIES, *SERVING_LIBRARIES, "aiohttp"},
}
PARTS_OF_HOUSECTL = {
    TRAINER_IMAGE: ["contract", "errors", "packaged_files"],
    SERVER_IMAGE: ["contract", "cores", "deadline", "errors", "store"],
    CLI_IMAGE: sorted(each.name for each in pkgutil.iter_modules(housectl.__path__)),
}
MAX_SIZES = {
    TRAINER_IMAGE: 600 * MEGABYTE,
    SERVER_IMAGE: 330 * MEGABYTE,
    CLI_IMAGE: 350 * MEGABYTE,
}
CHECKSUM = "model.sha256"
SCRATCH: Mapping[str, Mapping[str, object]] = {"/out": {"emptyDir": {}}}


@pytest.fixture(scope="module")
def namespace() -> Iterator[str]:
    with new_namespace() as name:
        yield name


@pytest.mark.parametrize("image", [TRAINER_IMAGE, SERVER_IMAGE, CLI_IMAGE])
def test_image_has_only_required_packages(image: str, namespace: str) -> None:
    image_properties = json.loads(run_pod(namespace, image, ["python", "-c", INSPECTION]))
    packages = set(image_properties["packages"])
    assert packages >= REQUIRED[image]
    assert not packages & UNWANTED[image]
    assert image_properties["housectl"] == PARTS_OF_HOUSECTL[image]
    assert image_properties["bytecode"]
    assert image_properties["uid"] == UID
    assert image_properties["size"] <= MAX_SIZES[image]


def test_cli_image_drafts_a_project(namespace: str) -> None:
    data = "echo x,y > x.csv; for i in $(seq 200); do echo $i.5,$i >> x.csv; done"
    script = f"{data}; housectl init --data x.csv --target y; echo status $?"
    log = run_pod(namespace, CLI_IMAGE, ["sh", "-c", f"cd /out; {script}"], mounts=SCRATCH)
    assert f"status {ExitStatus.OK}" in log


@pytest.fixture(scope="module")
def inputs(namespace: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Boston's inputs, here and as the ConfigMap `inputs`."""
    project = example(".", tmp_path_factory.mktemp("inputs") / "boston")
    project.run_ok("render")
    (path,) = (project.path / ".housectl" / "inputs").iterdir()
    kubectl("create", "configmap", "inputs", f"--from-file={path}", f"--namespace={namespace}")
    return path


@pytest.mark.parametrize("family", Family)
def test_trial_in_image_is_byte_identical_to_local_trial(
    family: Family, inputs: Path, namespace: str, tmp_path: Path
) -> None:
    parameter = "alpha=0.5" if family is Family.LINEAR else "n_estimators=20"
    trial = ("-m", "housectl_trainer", "trial", f"--family={family}", parameter)
    local = subprocess.run(
        [sys.executable, *trial, f"--inputs={inputs}", f"--output={tmp_path / 'out'}"],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    checksum = (tmp_path / "out" / CHECKSUM).read_text()
    mounted_inputs = f"/inputs/{inputs.name}"
    script = (
        f"python {' '.join(trial)} --inputs={mounted_inputs} --output=/out/0 && cd /out/0 && "
        f"sha256sum --check --quiet {CHECKSUM} && cat {CHECKSUM}"
    )
    lines = run_pod(
        namespace,
        TRAINER_IMAGE,
        ["sh", "-c", script],
        mounts={mounted_inputs: {"configMap": {"name": "inputs"}}, **SCRATCH},
    ).splitlines()
    assert lines[-2] == local.stdout.splitlines()[-1]
    assert lines[-1] == checksum.rstrip("\n")
