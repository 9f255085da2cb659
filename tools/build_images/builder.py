"""One container builder: docker, podman, buildah, or a program with buildah's options."""

import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory

from housectl.errors import LocalEnvironmentError, ToolMissingError

_ROOT = Path(__file__).parents[2]

# What pip reads on this machine, it reads in the build as well.
_SECRETS: Mapping[str, str] = {"pip.conf": "PIP_CONFIG_FILE", "ca.pem": "PIP_CERT"}


@dataclass(frozen=True)
class Builder:
    """Builds and pushes images.

    Attributes:
        command: The program, perhaps with options of its own.
    """

    command: tuple[str, ...]

    def build(self, dockerfile: str, *, tag: str, labels: Mapping[str, str]) -> None:
        """Build an image from this checkout.

        Raises:
            MachineError: The builder fails; what it said is on stderr.
        """
        # Docker does by itself what the others must be told: to keep layers, and to write the one
        # format that can carry the server's health check.
        form = () if self._is_docker else ("--layers", "--format", "docker")
        self._run(
            "build",
            *("--file", dockerfile),
            *("--tag", tag),
            *form,
            *_repeated("--label", (f"{name}={value}" for name, value in labels.items())),
            *_repeated("--secret", _secrets()),
            ".",
        )

    def push(self, image: str, *, repository: str, tag: str) -> str:
        """Push an image and return its reference by digest.

        Raises:
            MachineError: The builder fails; what it said is on stderr.
        """
        target = f"{repository}:{tag}"
        if self._is_docker:
            return self._push_with_docker(image, repository, target)
        with TemporaryDirectory() as name:
            digest = Path(name) / "digest"
            self._run("push", "--digestfile", str(digest), image, f"docker://{target}")
            return f"{repository}@{digest.read_text().strip()}"

    def _push_with_docker(self, image: str, repository: str, target: str) -> str:
        self._run("tag", image, target)
        self._run("push", target)
        asked = (*self.command, "image", "inspect", "--format", "{{json .RepoDigests}}", target)
        found: list[str] = json.loads(subprocess.check_output(asked))
        # Docker leaves out the name of its own registry.
        known = f"{repository.removeprefix('docker.io/')}@"
        return next(repository + each[len(known) - 1 :] for each in found if each.startswith(known))

    @cached_property
    def _is_docker(self) -> bool:
        """Whether it is docker itself: a program of that name may well be podman."""
        said = subprocess.run(
            [*self.command, "--version"], capture_output=True, text=True, check=False
        )
        return said.stdout.startswith("Docker version")

    def _run(self, *arguments: str) -> None:
        command = [*self.command, *arguments]
        environment = {**os.environ, "DOCKER_BUILDKIT": "1"}
        status = subprocess.call(command, cwd=_ROOT, env=environment, stdout=sys.stderr)
        if status:
            raise LocalEnvironmentError(
                f"{self.command[0]} {arguments[0]} ended with status {status}; see above.",
                hint=shlex.join(command),
            )


def find_builder(command: Sequence[str]) -> Builder:
    """Return the builder that a command names, a program and perhaps options of its own.

    Raises:
        ToolMissingError: There is no such program.
    """
    program, *options = command
    path = shutil.which(program)
    if path is None:
        raise ToolMissingError(
            f"The builder {program} is not installed, or not executable.",
            hint="make images   # without BUILDER it takes docker, podman or buildah, what is here",
        )
    return Builder((str(Path(path).absolute()), *options))


def _secrets() -> Iterator[str]:
    for name, variable in _SECRETS.items():
        path = Path(os.environ.get(variable, os.devnull)).absolute()
        if path.is_file():
            yield f"id={name},src={path}"


def _repeated(option: str, values: Iterable[str]) -> Iterator[str]:
    for value in values:
        yield from (option, value)
