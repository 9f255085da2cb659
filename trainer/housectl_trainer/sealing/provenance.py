"""Provenance of a bundle: the origin of its recipe, and the environment that sealed it."""

import hashlib
import platform
import re
from datetime import UTC, datetime
from pathlib import Path

from msgspec.structs import asdict

from housectl.contract.bundle_record import Provenance, RecipeOrigin
from housectl.contract.golden import GoldenSource
from housectl.contract.trainer_code import VERSION, code_digest

_CPU_INFO = Path("/proc/cpuinfo")


def make_provenance(
    origin: RecipeOrigin, *, golden: GoldenSource, lock: bytes | None
) -> Provenance:
    """Return the provenance of a bundle that this process seals."""
    return Provenance(
        **asdict(origin),
        python=platform.python_version(),
        platform=platform.platform(),
        processor=_processor(),
        sealed_at=datetime.now(UTC).isoformat(timespec="seconds"),
        housectl=VERSION,
        code=code_digest(),
        lock=None if lock is None else hashlib.sha256(lock).hexdigest(),
        golden=golden,
    )


def _processor() -> str:
    """Return the name of the processor; libraries choose their instructions by it."""
    try:
        match = re.search(r"^model name\s*: (.+)$", _CPU_INFO.read_text(), re.MULTILINE)
    except OSError:
        match = None
    return match[1].strip() if match else platform.processor() or platform.machine()
