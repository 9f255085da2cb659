"""Load altered bundles: `python -m tests.drills.bundle_worker SEED FIRST END BASES STORE`.

The worker prints a line of JSON before each attempt, and another one after it. So the drill knows
the attempt during which the worker crashed or hung.
"""

import gc
import json
import resource
import shutil
import sys
import time
from pathlib import Path

from housectl.errors import BundleError, NewerFormatError
from housectl.store.layout import BUNDLES
from housectl.store.local import LocalStore
from housectl_server.app import create_app
from housectl_server.endpoints.docs_page import render_docs_page
from housectl_server.endpoints.prediction_thread import PredictionThread
from housectl_server.model.served_model import ServedModel
from housectl_server.monitoring.monitor import Monitor
from housectl_server.state import ServingState
from tests.contract.bundle_files import digest_of_record
from tests.drills.bundle_bases import Bases
from tests.drills.bundle_mutants import Mutant, make_mutant
from tests.drills.bundle_oracle import contradiction


def main(arguments: list[str]) -> None:
    seed, first, end = map(int, arguments[:3])
    bases, store = Bases.read(Path(arguments[3])), LocalStore(Path(arguments[4]))
    for files in bases.bundles:
        _attempt(store, Mutant(digest_of_record(files["bundle.json"]), files))
    initial_memory = _peak_memory()
    for number in range(first, end):
        mutation, mutant = make_mutant(seed, number, bases)
        _print(number=number, mutation=mutation)
        outcome = _attempt(store, mutant)
        _print(**outcome, memory=_peak_memory() - initial_memory)


def _attempt(store: LocalStore, mutant: Mutant) -> dict[str, object]:
    """Write a bundle, load it as a server does, and compare its predictions."""
    directory = mutant.write(store.path / BUNDLES)
    wall, cpu = time.monotonic(), time.process_time()
    model, problem = _load(store, mutant.digest)
    seconds = {"wall": time.monotonic() - wall, "cpu": time.process_time() - cpu}
    is_accepted = model is not None
    if is_accepted:
        problem = contradiction(directory, model.predict)
        del model
        gc.collect()
    shutil.rmtree(directory)
    return {"accepted": is_accepted, "problem": problem, **seconds}


def _load(store: LocalStore, digest: str) -> tuple[ServedModel | None, str | None]:
    """Return the served model; None if the bundle is refused, and the error of a failure."""
    try:
        model = ServedModel(store.bundle(digest))
        create_app(model, lambda: ServingState(app=_answer), Monitor(), PredictionThread())
        render_docs_page(model.bundle, url="http://127.0.0.1", requires_key=True)
    except (BundleError, NewerFormatError):
        return None, None
    except BaseException as error:  # noqa: BLE001  # each is a wrong outcome of the drill
        return None, f"it raises {error!r}"
    return model, None


async def _answer(*_: object) -> None: ...


def _peak_memory() -> float:
    """Return the largest memory of this process so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6


def _print(**values: object) -> None:
    print(json.dumps(values), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
