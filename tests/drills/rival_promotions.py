"""Promotions at once: in each round one wins, and the others report that the champion changed."""

from collections import Counter
from pathlib import Path

from housectl.errors import ExitStatus
from tests.drills.drill import DrillResult
from tests.drills.forked_commands import ForkedCommands, forked_commands
from tests.drills.rivals import Rivals, project_with_rivals

_RIVALS = 50
_LOSSES = {ExitStatus.LOCAL_ENVIRONMENT, ExitStatus.CHAMPION_KEPT}


def run(scratch: Path, count: int) -> DrillResult:
    """Let 50 commands promote the same challenger at once, and roll back; `count` rounds."""
    rivals = project_with_rivals(scratch / "project")
    failures: list[str] = []
    losses: Counter[int] = Counter()
    with forked_commands() as commands:
        for number in range(count):
            statuses = _round(commands, rivals)
            losses.update(status for status in statuses if status)
            failures += [
                f"Round {number}: {problem}" for problem in round_problems(rivals, statuses)
            ]
            commands.run(rivals.project.path, "rollback")
    return DrillResult(
        attempts=count,
        failures=failures,
        figures=[_figure(losses)],
    )


def _figure(losses: Counter[int]) -> str:
    return (
        f"{_RIVALS} commands promoted at once in each round. "
        f"{losses[ExitStatus.LOCAL_ENVIRONMENT]} lost at their commit, and "
        f"{losses[ExitStatus.CHAMPION_KEPT]} in their comparison."
    )


def _round(commands: ForkedCommands, rivals: Rivals) -> list[int]:
    pids = commands.start_at_once([rivals.project.path] * _RIVALS, "promote")
    return [commands.wait(pid) for pid in pids]


def round_problems(rivals: Rivals, statuses: list[int]) -> list[str]:
    """Return the problems after a round with these exit statuses."""
    winners = statuses.count(ExitStatus.OK)
    unexpected = {*statuses} - _LOSSES - {ExitStatus.OK}
    problems = {
        f"{winners} commands won.": winners != 1,
        f"Statuses {unexpected} are unexpected.": bool(unexpected),
        "The challenger is not the champion.": rivals.next_command != "rollback",
        "An entry is missing or superfluous.": rivals.entries % 2 != 0,
    }
    return [problem for problem, occurred in problems.items() if occurred]
