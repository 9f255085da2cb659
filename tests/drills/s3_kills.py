"""SIGKILL at random moments of promotions and rollbacks on S3."""

from pathlib import Path

from tests.drills.drill import DrillResult
from tests.drills.kills import kill_commands
from tests.drills.rivals import Rivals, project_with_rivals
from tests.servers.environment import use_server
from tools.s3_server import s3_server


def run(scratch: Path, count: int) -> DrillResult:
    """Kill `count` running commands; after each, check the store and run the next command."""
    with s3_server(scratch / "s3") as server, use_server(server):
        bucket = server.new_bucket()

        def make_project(number: int) -> Rivals:
            path = scratch / f"project-{number}"
            return project_with_rivals(path, store=f"s3://{bucket}/{number}")

        return kill_commands(count, make_project)
