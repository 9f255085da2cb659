"""Replacements of a regular file by something else of the same name."""

import os
import socket
from collections.abc import Callable
from pathlib import Path

_SPARSE_BYTES = 10 * 10**9


def _make_fifo(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def _make_directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _make_link(path: Path) -> None:
    path.rename(path.with_name("moved"))
    path.symlink_to("moved")


def _link_to(target: str) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        path.unlink()
        path.symlink_to(target)

    return make


def _make_socket(path: Path) -> None:
    path.unlink()
    # The path of a socket has at most 107 characters, so it is bound in its own directory.
    before = os.open(".", os.O_RDONLY)
    os.chdir(path.parent)
    try:
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(path.name)
    finally:
        os.fchdir(before)
        os.close(before)


def _make_sparse(path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(_SPARSE_BYTES)


REPLACEMENTS = (
    _make_fifo,
    _make_directory,
    _make_link,
    _link_to("missing"),
    _link_to("/dev/zero"),
    _link_to("/dev/stdin"),
    _make_socket,
    _make_sparse,
)
