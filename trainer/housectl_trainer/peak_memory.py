"""How much memory a process has used."""

import re
from contextlib import suppress
from pathlib import Path

_CGROUP = Path("/sys/fs/cgroup")
# Of cgroup v2, of v1, and of v2 before Linux 5.19, which knows only what is used right now.
_FILES = ("memory.peak", "memory/memory.max_usage_in_bytes", "memory.current")


def peak_memory(process: int, *, cgroup: Path = _CGROUP) -> int | None:
    """Return the most memory used so far, in bytes, as far as anything tells.

    Args:
        process: Whose memory counts where there are no control groups, which count a container's
            as a whole, with its file pages, as the limit does.
        cgroup: Where a container sees its own control group.
    """
    for name in _FILES:
        with suppress(OSError):
            return int((cgroup / name).read_text())
    with suppress(OSError):
        status = Path(f"/proc/{process}/status").read_text()
        if resident := re.search(r"^VmHWM:\s+(\d+) kB$", status, re.MULTILINE):
            return int(resident[1]) * 1024
    return None
