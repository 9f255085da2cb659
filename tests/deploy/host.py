"""A host of the server: its settings, and programs in place of docker and systemctl."""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tests.test_end_to_end import free_port
from tools.project_directory import ROOT

DEPLOY = ROOT / "deploy"
UNIT = DEPLOY / "housectl-server.service"
REPOSITORY = "registry.example/housectl-server"
GOOD, NEWER, BROKEN, UNKNOWN = (f"sha256:{digit * 64}" for digit in "abcd")


@dataclass(frozen=True)
class Host:
    """A host.

    Attributes:
        settings: The directory in place of /etc/housectl.
        bin: The directory of the programs.
        port: The port of the server.
    """

    settings: Path
    bin: Path
    port: int

    @property
    def environment(self) -> dict[str, str]:
        return {
            "HOUSECTL_SETTINGS": str(self.settings),
            "PATH": f"{self.bin}:{os.environ['PATH']}",
        }

    @property
    def command(self) -> str:
        """The command of the restricted key."""
        variables = " ".join(f"{name}='{value}'" for name, value in self.environment.items())
        return f'{variables} {DEPLOY}/rollout.sh "$SSH_ORIGINAL_COMMAND"'

    def add_unit(self) -> None:
        """Install the unit, with the paths and the port of this host."""
        text = UNIT.read_text().replace("/etc/housectl", str(self.settings))
        text = text.replace("/usr/bin/docker", str(self.bin / "docker"))
        text = text.replace("127.0.0.1:8005", f"127.0.0.1:{self.port}")
        (self.bin / UNIT.name).write_text(text)


@contextmanager
def server_host(directory: Path, *, store: str, **variables: str) -> Iterator[Host]:
    """Prepare a host, and end its container at the end."""
    host = Host(settings=directory / "etc", bin=directory / "bin", port=free_port())
    host.settings.mkdir(parents=True)
    host.bin.mkdir()
    for name in ("docker", "systemctl"):
        source = Path(__file__).with_name(f"stand_in_{name}.py").read_text()
        (host.bin / name).write_text(f"#!{sys.executable} -P\n{source}")
        (host.bin / name).chmod(0o755)
    (host.bin / "images").write_text(f"{GOOD}\n{NEWER}\n{BROKEN} broken\n")
    (host.settings / "rollout.env").write_text(
        f"REPOSITORY={REPOSITORY}\nPORT={host.port}\nREADY_SECONDS=10\n"
    )
    environment = {"HOUSECTL_STORE": store, **variables}
    (host.settings / "server.env").write_text(
        "".join(f"{name}={value}\n" for name, value in environment.items())
    )
    try:
        yield host
    finally:
        for record in host.bin.glob("*.pid"):
            with suppress(ProcessLookupError):
                os.kill(int(record.read_text()), signal.SIGKILL)
