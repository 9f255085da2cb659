"""Number of cores that this process may use."""

import math
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_CGROUP_ROOT = Path("/sys/fs/cgroup")
_OWN_CGROUP = Path("/proc/self/cgroup")


def usable_cores(*, root: Path = _CGROUP_ROOT, own_cgroup: Path = _OWN_CGROUP) -> int:
    """Return the number of cores that this process may use: by its affinity and its cgroup.

    A container's CPU limit is a quota of its cgroup, which the affinity does not show.

    Args:
        root: Mount point of the cgroups.
        own_cgroup: File with the path of this process's cgroup.
    """
    has_affinity = hasattr(os, "sched_getaffinity")
    cores = len(os.sched_getaffinity(0)) if has_affinity else os.cpu_count() or 1
    return max(1, math.ceil(min([cores, *_quotas(root, own_cgroup)])))


def _quotas(root: Path, own_cgroup: Path) -> Iterator[float]:
    """Yield the CPU quotas of this process's cgroup and of those above it, in cores."""
    with suppress(OSError, ValueError):
        # Version 1 mounts the container's own cgroup of each controller.
        quota = int((root / "cpu/cpu.cfs_quota_us").read_text())
        if quota > 0:
            yield quota / int((root / "cpu/cpu.cfs_period_us").read_text())
    for directory in _cgroups(root, own_cgroup):
        with suppress(OSError, ValueError):
            quota_text, period = (directory / "cpu.max").read_text().split()
            yield int(quota_text) / int(period)


def _cgroups(root: Path, own_cgroup: Path) -> Iterator[Path]:
    """Yield the directories of the cgroup and of those above it, in version 2."""
    with suppress(OSError):
        for line in own_cgroup.read_text().splitlines():
            if line.startswith("0::/"):
                path = Path(line.removeprefix("0::/"))
                yield from (root / each for each in (path, *path.parents))
