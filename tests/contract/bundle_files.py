"""The files of a bundle outside of housectl's own code: read, written, and with new digests."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

Files = Mapping[str, bytes]


def read_files(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.iterdir()}


def write_files(directory: Path, files: Files) -> None:
    directory.mkdir(parents=True)
    for name, data in files.items():
        (directory / name).write_bytes(data)


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def with_new_digests(files: Files) -> dict[str, bytes]:
    """Return the files with a record that has the sha256 of each."""
    record = json.loads(files["bundle.json"])
    record["files"] = {name: sha256(files[name]) for name in record["files"] if name in files}
    return {**files, "bundle.json": json.dumps(record).encode()}


def digest_of_record(data: bytes) -> str:
    """Return the digest of a bundle's record, as docs/formats.md computes it."""
    record = json.loads(data)
    del record["provenance"]
    canonical = json.dumps(record, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return sha256(canonical.encode())
