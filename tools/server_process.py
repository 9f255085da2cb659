"""Server programs as child processes, which end with the process that started them."""

import secrets
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

_TIMEOUT_SECONDS = 60.0
_PAUSE_SECONDS = 0.02
_PORTS = range(20_000, 32_000)
# The end of the parent closes the pipe that `cat` reads. This also works on macOS.
_KILL_WITH_PARENT = 'exec 3<&0; "$@" 3<&- & server=$!; (cat <&3; kill -9 $server) & wait $server'


class ServerStartError(RuntimeError):
    """A server process does not answer."""


def free_port() -> int:
    """Return a port of the loopback interface that no process uses.

    The system does not choose it for outgoing connections, so it stays free for a while.
    """
    while True:
        port = _PORTS[secrets.randbelow(len(_PORTS))]
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


@contextmanager
def server_process(
    command: Sequence[str | Path], *, url: str, log: Path, environment: Mapping[str, str]
) -> Iterator[None]:
    """Run a server during the block, from its first answer on.

    Args:
        command: Program with its arguments.
        url: URL that the server answers, with any status.
        log: File for the output of the server.
        environment: All environment variables of the server.

    Raises:
        ServerStartError: The server ended, or did not answer in time.
    """
    with (
        log.open("wb") as output,
        subprocess.Popen(
            ["/bin/sh", "-c", _KILL_WITH_PARENT, "sh", *command],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            # Ctrl-C in the terminal of the parent would kill the shell, but not the server.
            start_new_session=True,
        ) as process,
    ):
        # At its end, the block closes the pipe and waits for the shell.
        _wait_for_answer(process, url, log)
        yield


def _wait_for_answer(process: "subprocess.Popen[bytes]", url: str, log: Path) -> None:
    deadline = time.monotonic() + _TIMEOUT_SECONDS
    while not answers(url):
        if process.poll() is not None or time.monotonic() > deadline:
            raise ServerStartError(f"{url} does not answer: {log.read_text()}")
        time.sleep(_PAUSE_SECONDS)


def answers(url: str) -> bool:
    """Return True if a server answers the URL, with any status."""
    try:
        with urllib.request.urlopen(url, timeout=_TIMEOUT_SECONDS):  # noqa: S310
            return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
