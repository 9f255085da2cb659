"""Outages of S3: a server keeps its champion, reports them, and follows the next promotion."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from itertools import cycle
from pathlib import Path

from housectl.store.address import StoreAddress
from housectl.store.factory import open_store
from tests.drills.drill import DrillResult
from tests.server.bundles import expected, make_bundle, promote
from tests.server.running import ROW, RunningServer, running
from tests.servers.environment import use_server
from tests.servers.s3_proxy import Fault, S3Proxy, s3_proxy
from tools.s3_server import s3_server
from tools.server_process import free_port

_POLL = ("--poll-interval", "0.1")
_FAULTS = (Fault.SLOW_DOWN, Fault.FORBIDDEN, Fault.CUT_AFTER)


def run(scratch: Path, count: int) -> DrillResult:
    """Stop the S3 server, or let its requests fail, `count` times while a server follows."""
    port = free_port()
    failures: list[str] = []
    with ExitStack() as process:
        s3 = process.enter_context(s3_server(scratch / "s3", port=port))
        address = f"s3://{s3.new_bucket()}/store"
        with (
            s3_proxy(s3) as proxy,
            use_server(proxy.server),
            running(address, scratch / "output", arguments=_POLL) as server,
        ):
            store = open_store(StoreAddress.parse(address), cache=scratch / "cache")
            stop = partial(_stopped, process, scratch / "s3", port)
            outages = cycle([stop, *(partial(_failing, proxy, fault) for fault in _FAULTS)])
            for number, outage in zip(range(count), outages, strict=False):
                bundle = make_bundle(scratch, base=float(number))
                promote(store, bundle)
                server.wait_for(status="ok", reason=None, model_digest=bundle.digest)
                with outage():
                    server.wait_for(status="degraded", model_digest=bundle.digest)
                    failures += _problems(server, expected(float(number), ROW["RM"]))
    return DrillResult(attempts=count, failures=failures)


@contextmanager
def _stopped(process: ExitStack, directory: Path, port: int) -> Iterator[None]:
    process.close()
    yield
    process.enter_context(s3_server(directory, port=port))


@contextmanager
def _failing(proxy: S3Proxy, fault: Fault) -> Iterator[None]:
    proxy.fail_all(fault)
    yield
    proxy.fail_none()


def _problems(server: RunningServer, prediction: float) -> list[str]:
    """Return the problems of a server during an outage."""
    reason = str(server.health()["reason"])
    problems = {
        f"The server predicted {server.predict().text}.": server.predict().json()
        != {"predicted_price": prediction},
        "The server is not ready.": server.client.get("/health/ready").status_code != 200,
        f"The reason is {reason}.": "The store" not in reason,
    }
    return [problem for problem, occurred in problems.items() if occurred]
