"""The log of Katib's metrics collector: the trainer's lines, and how it failed itself."""

import re

PANIC = "panic: "

_KLOG = re.compile(
    r"(?P<level>[IWEF])\d{4} \d\d:\d\d:\d\d\.\d+ +\d+ (?P<file>[\w.-]+):\d+\] (?P<text>.*)"
)
_OWN_LINES = ("Trial Name: ", "Metrics reported. :")


def trainer_lines(log: str) -> list[str]:
    """Return what the trainer printed, without the collector's prefix and its own lines."""
    matches = [match for line in log.splitlines() if (match := _KLOG.fullmatch(line))]
    return [
        match["text"]
        for match in matches
        if match["level"] == "I"
        and match["file"] == "main.go"
        and not match["text"].startswith(_OWN_LINES)
    ]


def collector_failure(log: str) -> str | None:
    """Return what the collector said when it failed, or None."""
    for line in log.splitlines():
        match = _KLOG.fullmatch(line)
        if match and match["level"] == "F":
            return match["text"]
        if line.startswith(PANIC):
            return line
    return None
