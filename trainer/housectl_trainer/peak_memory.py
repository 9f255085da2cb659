"""Peak memory of a container or of a process."""

import re
from contextlib import suppress
from pathlib import Path

_CGROUP = Path("/sys/fs/cgroup")
# Files of cgroup v2, of v1, and of v2 before Linux 5.19, which has only the current use.
_CGROUP_FILES = ("memory.peak", "memory/memory.max_usage_in_bytes", "memory.current")


def peak_memory(process: int, *, cgroup: Path = _CGROUP) -> int | None:
    """Return the peak memory in bytes, or None if the system does not report it.

    A control group counts all memory of a container with its file pages, as the memory limit does.

    Args:
        process: Process to measure if there is no control group.
        cgroup: Directory in which a container sees its own control group.
    """
    for name in _CGROUP_FILES:
        with suppress(OSError):
            return int((cgroup / name).read_text())
    with suppress(OSError):
        status = Path(f"/proc/{process}/status").read_text()
        if resident := re.search(r"^VmHWM:\s+(\d+) kB$", status, re.MULTILINE):
            return int(resident[1]) * 1024
    return None
