"""An ssh server for one key, which may run one command and forward one port."""

import getpass
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.server.running import wait_until
from tests.test_end_to_end import free_port

_CONFIG = """\
HostKey {directory}/host
AuthorizedKeysFile {directory}/authorized_keys
PidFile none
StrictModes no
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
"""


@dataclass(frozen=True)
class SshServer:
    """A running ssh server.

    Attributes:
        url: URL with user and port.
        known_hosts: The line of known_hosts for its key.
        private_key: The private key that it accepts.
    """

    url: str
    known_hosts: str
    private_key: str

    @property
    def environment(self) -> dict[str, str]:
        return {
            "DEPLOY_HOST": self.url,
            "DEPLOY_KNOWN_HOSTS": self.known_hosts,
            "DEPLOY_SSH_KEY": self.private_key,
        }


def find_sshd() -> str | None:
    """Return the program; it is not on the PATH of every user."""
    return shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")


def generate_key(path: Path) -> None:
    """Write a private key without a passphrase, and its public key."""
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)], check=True)


@contextmanager
def ssh_server(directory: Path, *, command: str, forwarded_port: int) -> Iterator[SshServer]:
    """Run an ssh server whose only key is restricted to a command and a port."""
    for name in ("host", "client"):
        generate_key(directory / name)
    quoted = command.replace('"', r"\"")
    (directory / "authorized_keys").write_text(
        f'command="{quoted}",restrict,port-forwarding,'
        f'permitopen="127.0.0.1:{forwarded_port}" {_public_key(directory / "client")}\n'
    )
    (directory / "sshd_config").write_text(_CONFIG.format(directory=directory))
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    port, sshd = free_port(), find_sshd()
    assert sshd is not None
    listen = ("-o", f"ListenAddress=127.0.0.1:{port}")
    with (directory / "sshd.log").open("wb") as log:
        process = subprocess.Popen(
            [sshd, "-D", "-e", "-f", str(directory / "sshd_config"), *listen], stderr=log
        )
    try:
        wait_until(lambda: process.poll() is not None or _listens(port))
        assert process.poll() is None, (directory / "sshd.log").read_text()
        yield SshServer(
            url=f"ssh://{getpass.getuser()}@127.0.0.1:{port}",
            known_hosts=f"[127.0.0.1]:{port} {_public_key(directory / 'host')}",
            private_key=(directory / "client").read_text(),
        )
    finally:
        process.terminate()
        process.wait()


def _public_key(path: Path) -> str:
    return path.with_suffix(".pub").read_text().strip()


def _listens(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0
