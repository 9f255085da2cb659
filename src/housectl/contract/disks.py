"""Full disks: the place where one is mounted, and its free space."""

import os
from pathlib import Path

_MIB = 2**20


def describe_disk(path: Path) -> str:
    """Return the disk of an existing path with its free space, for a message."""
    disk = os.statvfs(path)
    free, size = (blocks * disk.f_frsize / _MIB for blocks in (disk.f_bavail, disk.f_blocks))
    files = ", no free inodes" if _lacks_inodes(disk) else ""
    return f"the disk at {_mount_point(path)} is full ({free:.0f} of {size:.0f} MiB free{files})"


def describe_if_full(path: Path) -> str | None:
    """Return the disk of an existing path if it has less than 1 MiB free; otherwise None."""
    disk = os.statvfs(path)
    full = disk.f_bavail * disk.f_frsize < _MIB or _lacks_inodes(disk)
    return describe_disk(path) if full else None


def _lacks_inodes(disk: os.statvfs_result) -> bool:
    # Some file systems have no fixed number of inodes, and report 0 of 0.
    return disk.f_files > 0 and disk.f_favail == 0


def _mount_point(path: Path) -> Path:
    absolute = path.resolve()
    return next(parent for parent in (absolute, *absolute.parents) if parent.is_mount())
