"""Promotions at once on S3, each in a directory of its own: one wins, and the others name it."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from housectl.errors import ExitStatus
from tests.drills.drill import DrillResult
from tests.drills.forked_commands import LOG_FILE, ForkedCommands, forked_commands
from tests.drills.rival_promotions import round_problems
from tests.drills.rivals import Rivals, project_with_rivals
from tests.servers.environment import use_server
from tools.s3_server import s3_server

_RIVALS = 20


def run(scratch: Path, count: int) -> DrillResult:
    """Let 20 commands promote the same challenger at once, and roll back; `count` rounds."""
    losses: Counter[int] = Counter()
    failures: list[str] = []
    with s3_server(scratch / "s3") as server, use_server(server), forked_commands() as commands:
        store = f"s3://{server.new_bucket()}/store"
        rivals = project_with_rivals(scratch / "project", store=store)
        machines = [scratch / f"machine-{number}" for number in range(_RIVALS)]
        for machine in machines:
            rivals.project.copy(machine)
        for number in range(count):
            statuses = _promote_at_once(commands, machines)
            problems = [*round_problems(rivals, statuses), *_messages(rivals, machines, statuses)]
            failures += [f"Round {number}: {problem}" for problem in problems]
            losses.update(statuses)
            commands.run(rivals.project.path, "rollback")
    return DrillResult(attempts=count, failures=failures, figures=[_figure(losses)])


def _figure(losses: Counter[int]) -> str:
    return (
        f"{_RIVALS} commands promoted at once in each round. "
        f"{losses[ExitStatus.LOCAL_ENVIRONMENT]} lost at their commit, and named the winner."
    )


def _promote_at_once(commands: ForkedCommands, machines: Sequence[Path]) -> list[int]:
    for machine in machines:
        (machine / LOG_FILE).unlink(missing_ok=True)
    pids = commands.start_at_once(machines, "promote")
    return [commands.wait(pid) for pid in pids]


def _messages(rivals: Rivals, machines: Sequence[Path], statuses: Sequence[int]) -> list[str]:
    """Return the output of each command that lost at its commit and does not name the winner."""
    winner = rivals.store.require_champion()
    outputs = [
        (machine / LOG_FILE).read_text()
        for machine, status in zip(machines, statuses, strict=True)
        if status == ExitStatus.LOCAL_ENVIRONMENT
    ]
    names = f"entry {winner.number}", winner.by
    return [output for output in outputs if not all(name in output for name in names)]
