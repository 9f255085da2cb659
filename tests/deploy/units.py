"""Settings of systemd's units in deploy/."""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

_CONTINUATION = re.compile(r"\\\n\s*")


def read_unit(path: Path) -> Mapping[str, Sequence[str]]:
    """Return the values of each setting, in all sections of a unit."""
    settings: dict[str, list[str]] = defaultdict(list)
    for line in _CONTINUATION.sub("", path.read_text()).splitlines():
        name, separator, value = line.partition("=")
        if separator and not name.startswith("#"):
            settings[name].append(value)
    return settings
