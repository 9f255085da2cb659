"""SIGKILL before and after each request of promotions and rollbacks on S3."""

from collections.abc import Iterator
from functools import partial
from itertools import cycle, product
from pathlib import Path

from tests.drills.drill import DrillResult
from tests.drills.forked_commands import ForkedCommands, forked_commands
from tests.drills.kills import Kills, watched
from tests.drills.rivals import Rivals, project_with_rivals
from tests.server.running import wait_until
from tests.servers.environment import use_server
from tests.servers.s3_proxy import Fault, S3Proxy, s3_proxy
from tools.s3_server import s3_server

Moment = tuple[int, Fault]


def run(scratch: Path, count: int) -> DrillResult:
    """Kill `count` running commands; after each, check the store and run the next command."""
    drill = Kills()
    with s3_server(scratch / "s3") as server:
        with use_server(server):
            store = f"s3://{server.new_bucket()}/store"
            rivals = project_with_rivals(scratch / "project", store=store)
        with (
            s3_proxy(server) as proxy,
            use_server(proxy.server),
            forked_commands() as commands,
            watched(rivals.store, drill.failures),
        ):
            moments = _moments(commands, rivals, proxy)
            for _ in range(count):
                number, fault = next(moments[rivals.next_command])
                held = proxy.held
                proxy.fail_nth(number, fault)
                drill.attempt(commands, rivals, partial(_wait_for_request, proxy, held))
    return drill.result


def _moments(
    commands: ForkedCommands, rivals: Rivals, proxy: S3Proxy
) -> dict[str, Iterator[Moment]]:
    """Return the moments before and after each request of each command, the last ones first."""
    moments: dict[str, Iterator[Moment]] = {}
    # The first commands fill the cache, so later ones send fewer requests.
    for command in ("promote", "rollback") * 2:
        proxy.forget_requests()
        commands.run(rivals.project.path, command)
        numbers = reversed(range(len(proxy.requests)))
        moments[command] = cycle(product(numbers, (Fault.HOLD_ANSWER, Fault.HOLD)))
    return moments


def _wait_for_request(proxy: S3Proxy, held: int) -> None:
    wait_until(lambda: proxy.held > held)
    proxy.fail_none()
