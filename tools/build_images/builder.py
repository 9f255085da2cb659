"""Container builder: docker, podman, buildah, or a program with buildah's options."""

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

# pip in the build uses the same configuration and certificate as pip on this machine.
_SECRETS: Mapping[str, str] = {"pip.conf": "PIP_CONFIG_FILE", "ca.pem": "PIP_CERT"}


@dataclass(frozen=True)
class Builder:
    """Builds and pushes images.

    Attributes:
        command: Program and its leading options.
    """

    command: tuple[str, ...]

    def build(self, dockerfile: str, *, tag: str, labels: Mapping[str, str]) -> None:
        """Build an image from this checkout.

        Raises:
            LocalEnvironmentError: The builder failed; its output is on stderr.
        """
        # These are Docker's defaults. Only the format "docker" keeps the server's health check.
        build_options = () if self._is_docker else ("--layers", "--format", "docker")
        self._run(
            "build",
            *("--file", dockerfile),
            *("--tag", tag),
            *build_options,
            *_repeated("--label", (f"{name}={value}" for name, value in labels.items())),
            *_repeated("--secret", _secrets()),
            ".",
        )

    def push(self, image: str, *, repository: str, tag: str) -> str:
        """Push an image and return its reference by digest.

        Raises:
            LocalEnvironmentError: The builder failed; its output is on stderr.
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
        inspect = (*self.command, "image", "inspect", "--format", "{{json .RepoDigests}}", target)
        digests: list[str] = json.loads(subprocess.check_output(inspect))
        # Docker omits the name of its own registry.
        prefix = f"{repository.removeprefix('docker.io/')}@"
        digest = next(name.removeprefix(prefix) for name in digests if name.startswith(prefix))
        return f"{repository}@{digest}"

    @cached_property
    def _is_docker(self) -> bool:
        """True for Docker itself; a program called docker may be podman."""
        version = subprocess.run(
            [*self.command, "--version"], capture_output=True, text=True, check=False
        )
        return version.stdout.startswith("Docker version")

    def _run(self, *arguments: str) -> None:
        command = [*self.command, *arguments]
        environment = {**os.environ, "DOCKER_BUILDKIT": "1"}
        status = subprocess.call(command, cwd=_ROOT, env=environment, stdout=sys.stderr)
        if status:
            raise LocalEnvironmentError(
                f"{self.command[0]} {arguments[0]} failed with status {status}; see above.",
                hint=shlex.join(command),
            )


def find_builder(command: Sequence[str]) -> Builder:
    """Return the builder for a program and its leading options.

    Raises:
        ToolMissingError: The program is missing.
    """
    program, *options = command
    path = shutil.which(program)
    if path is None:
        raise ToolMissingError(
            f"The builder {program} is not installed, or not executable.",
            hint="make images   # without BUILDER it uses an installed docker, podman or buildah",
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
