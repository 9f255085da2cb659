"""Check the prose of files and directories: `python -m tools.check_prose [PATHS]`."""

import sys
from collections.abc import Iterator
from pathlib import Path

from tools.check_prose.passages import is_supported, passages_of
from tools.check_prose.rules import problems_of

ROOT = Path(__file__).parents[2]

# Its cases are sentences that break the rules.
_TEST_OF_THE_CHECK = ROOT / "tests" / "tools" / "test_check_prose.py"
_SKIPPED_DIRECTORIES = {"__pycache__", "build", "dist"}


def main(arguments: list[str]) -> int:
    """Print a line for each problem and return 1 if there is one."""
    reports = [report for path in _files(arguments) for report in _reports(path)]
    for report in reports:
        print(report)
    return 1 if reports else 0


def _reports(path: Path) -> list[str]:
    problems = [problem for passage in passages_of(path) for problem in problems_of(passage)]
    problems.sort(key=lambda problem: problem.line)
    name = path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
    return [f"{name}:{problem.line}: {problem.message}: {problem.hint}" for problem in problems]


def _files(arguments: list[str]) -> Iterator[Path]:
    for start in [Path(argument).resolve() for argument in arguments] or [ROOT]:
        candidates = [start] if start.is_file() else sorted(start.rglob("*"))
        yield from (path for path in candidates if _is_checked(path, start))


def _is_checked(path: Path, start: Path) -> bool:
    if not (path.is_file() and is_supported(path)) or path == _TEST_OF_THE_CHECK:
        return False
    directories = path.relative_to(start).parts[:-1]
    hidden = {name for name in directories if name.startswith(".") and name != ".github"}
    return not hidden and not _SKIPPED_DIRECTORIES & set(directories)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
