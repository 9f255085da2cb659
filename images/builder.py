"""One container builder: docker, podman, buildah, or a program with buildah's options."""

import json
import os
import shlex
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from housectl.errors import MachineError

_ROOT = Path(__file__).parents[1]

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
        # Only docker's own format can carry the server's health check, and only docker writes it
        # without being asked.
        form = () if self._is_docker else ("--format", "docker")
        self._run(
            "build",
            *("--file", dockerfile),
            *("--tag", tag),
            *form,
            *_repeated("--label", [f"{name}={value}" for name, value in labels.items()]),
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
        found = self._run("inspect", "--format", "{{json .RepoDigests}}", target)
        references: list[str] = json.loads(found)
        return next(each for each in references if each.startswith(f"{repository}@"))

    @property
    def _is_docker(self) -> bool:
        return Path(self.command[0]).name == "docker"

    def _run(self, *arguments: str) -> str:
        """Run the builder, which tells of itself on stderr; return what it printed."""
        command = [*self.command, *arguments]
        ended = subprocess.run(
            command,
            cwd=_ROOT,
            env={**os.environ, "DOCKER_BUILDKIT": "1"},
            stdout=subprocess.PIPE,
            text=True,
            check=False,
        )
        if ended.returncode:
            raise MachineError(
                f"{self.command[0]} {arguments[0]} ended with status {ended.returncode}; "
                "the reason is above.",
                hint=shlex.join(command),
            )
        return ended.stdout


def _secrets() -> list[str]:
    paths = {name: os.environ.get(variable) for name, variable in _SECRETS.items()}
    return [
        f"id={name},src={path}" for name, path in paths.items() if path and Path(path).is_file()
    ]


def _repeated(option: str, values: Sequence[str]) -> Iterator[str]:
    for value in values:
        yield from (option, value)
