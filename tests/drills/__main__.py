"""Run all drills, or the named ones: `python -m tests.drills [NAME...]`."""

import json
import re
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.drills.catalog import DRILLS
from tests.drills.drill import DrillResult
from tools.project_directory import ROOT

_PAGE = ROOT / "docs" / "reliability.md"
_OUTPUT = ROOT / "build" / "drill.json"
_TABLE = re.compile(r"(?<=<!-- drills -->\n).*?(?=<!-- end of drills -->)", re.DOTALL)
_MAX_PRINTED_FAILURES = 10


def main(names: list[str]) -> int:
    """Run the drills, print their figures, and return the exit status."""
    results = {name: _run(name) for name in names or DRILLS}
    if results.keys() == DRILLS.keys():
        _OUTPUT.parent.mkdir(exist_ok=True)
        _OUTPUT.write_text(json.dumps({name: _record(item) for name, item in results.items()}))
        page = _PAGE.read_text()
        _PAGE.write_text(_TABLE.sub(lambda _: _table(results), page))
    return int(any(result.failures for result in results.values()))


def _run(name: str) -> DrillResult:
    drill = DRILLS[name]
    started = time.monotonic()
    print(f"{name}: {drill.title}")
    with TemporaryDirectory(prefix="housectl-drill-") as directory:
        result = drill.run(Path(directory), drill.full)
    seconds = time.monotonic() - started
    print(f"  {result.attempts:,} attempts, {len(result.failures)} failures, {seconds:.0f} s")
    for line in (*result.figures, *result.failures[:_MAX_PRINTED_FAILURES]):
        print(f"  {line}")
    return result


def _record(result: DrillResult) -> Mapping[str, object]:
    return {
        "attempts": result.attempts,
        "failures": list(result.failures),
        "figures": list(result.figures),
    }


def _table(results: Mapping[str, DrillResult]) -> str:
    """Return the results as a Markdown table."""
    rows = [
        f"| {DRILLS[name].title} | {result.attempts:,} | {len(result.failures)} "
        f"| {' '.join(result.figures)} |"
        for name, result in results.items()
    ]
    header = ["", "| drill | attempts | failures | measured |", "| --- | --- | --- | --- |"]
    return "\n".join([*header, *rows, "", ""])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
