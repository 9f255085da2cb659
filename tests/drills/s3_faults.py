"""Faults of the network at each request of promotions and rollbacks on S3, one fault at a time.

Each command may fail; its repetition ends its work. The champion changes once.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path

from housectl.errors import ExitStatus
from tests.drills.drill import DrillResult
from tests.drills.forked_commands import ForkedCommands, forked_commands
from tests.drills.rivals import Rivals, project_with_rivals
from tests.servers.environment import use_server
from tests.servers.s3_proxy import Fault, S3Proxy, s3_proxy
from tools.s3_server import s3_server

_FAULTS = (
    Fault.CUT_BEFORE,
    Fault.CUT_AFTER,
    Fault.TRUNCATE,
    Fault.SLOW_DOWN,
    Fault.CONFLICT,
    Fault.FORBIDDEN,
)


def run(scratch: Path, count: int) -> DrillResult:
    """Inject `count` faults: for each command and kind, at the first request, the second, …"""
    with s3_server(scratch / "s3") as server:
        with use_server(server):
            store = f"s3://{server.new_bucket()}/store"
            rivals = project_with_rivals(scratch / "project", store=store)
        with s3_proxy(server) as proxy, use_server(proxy.server), forked_commands() as commands:
            drill = _Faults(rivals, proxy, commands)
            while drill.attempts < count:
                drill.attempt()
    return DrillResult(attempts=drill.attempts, failures=drill.failures, figures=[drill.figure])


@dataclass
class _Faults:
    """The drill's counts.

    Attributes:
        faults: By command, the next faults.
        next_request: By command and fault, the number of the next request to fail; 0 is the first.
    """

    rivals: Rivals
    proxy: S3Proxy
    commands: ForkedCommands
    faults: Mapping[str, Iterator[Fault]] = field(
        default_factory=lambda: defaultdict(lambda: cycle(_FAULTS))
    )
    next_request: Counter[tuple[str, Fault]] = field(default_factory=Counter)
    statuses: Counter[int] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)

    @property
    def attempts(self) -> int:
        """Number of commands that met a fault."""
        return self.statuses.total()

    @property
    def figure(self) -> str:
        succeeded = self.statuses[ExitStatus.OK]
        return (
            f"{succeeded} commands succeeded in spite of their fault, and "
            f"{self.attempts - succeeded} when they were repeated."
        )

    def attempt(self) -> None:
        """Run a command with a fault, and repeat it if it fails."""
        command, before = self.rivals.next_command, self.rivals.entries
        fault = next(self.faults[command])
        number = self.next_request[command, fault]
        status = self._run_with_fault(command, fault, number)
        was_sent = len(self.proxy.requests) > number
        self.next_request[command, fault] = number + 1 if was_sent else 0
        self.statuses[status] += self.proxy.faults
        problems = self._problems(command, status, before)
        self.failures += [
            f"{command}, {fault.name} at request {number}: {problem}." for problem in problems
        ]

    def _run_with_fault(self, command: str, fault: Fault, number: int) -> int:
        self.proxy.forget_requests()
        self.proxy.fail_nth(number, fault)
        status = self.commands.run(self.rivals.project.path, command)
        self.proxy.fail_none()
        return status

    def _problems(self, command: str, status: int, before: int) -> list[str]:
        directory, has_entry = self.rivals.project.path, self.rivals.entries > before
        if status and not has_entry:
            status = self.commands.run(directory, command)
        elif status:
            # The commit was the last step but one, which later commands repeat.
            self.commands.run(directory, "compare")
        problems = {
            f"the repetition ended with status {status}": status != 0 and not has_entry,
            f"it made {self.rivals.entries - before} entries": self.rivals.entries != before + 1,
            "deploy_details.json is outdated": self.rivals.recorded_champion
            != self.rivals.champion,
        }
        return [problem for problem, occurred in problems.items() if occurred]
