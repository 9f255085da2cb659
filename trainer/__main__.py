"""The trainer's command line: `python -m trainer trial|seal|pool --inputs DIR …`."""

import os
import sys
from argparse import ArgumentParser, Namespace
from functools import partial
from pathlib import Path

from housectl.contract.bundle import Origin
from housectl.contract.inputs import read_inputs
from housectl.contract.parameters import read_assignment, split_texts
from housectl.contract.recipe import Family
from housectl.errors import ExitStatus
from trainer.outcome import exit_status

_THREADS = "OMP_NUM_THREADS"


def main() -> int:
    """Run one command and return its exit status."""
    arguments = _parser().parse_args()
    # The numerical libraries read these when they are imported, which is later. The pool must not
    # have threads, as it forks; the others divide their work better than BLAS would.
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    if arguments.command is not _trial:
        os.environ[_THREADS] = "1"
    try:
        return exit_status(partial(arguments.command, arguments))
    except KeyboardInterrupt:
        return ExitStatus.INTERRUPTED


def _trial(arguments: Namespace) -> None:
    assignment = read_assignment(arguments.family, split_texts(arguments.assignment))
    inputs = read_inputs(arguments.inputs)
    from trainer.data import load
    from trainer.trial import run_trial

    run_trial(
        load(inputs),
        arguments.family,
        assignment,
        output=arguments.output,
        keep_below=arguments.keep_below,
        threads=int(os.environ.get(_THREADS, "1")),
    )


def _seal(arguments: Namespace) -> None:
    assignment = read_assignment(arguments.family, split_texts(arguments.assignment))
    inputs = read_inputs(arguments.inputs)
    from trainer.data import load
    from trainer.seal import seal

    origin = Origin(
        experiment=arguments.experiment,
        trial=arguments.trial,
        backend=arguments.backend,
        image=arguments.image,
        commit=arguments.commit,
    )
    seal(
        load(inputs),
        arguments.family,
        assignment,
        output=arguments.output,
        origin=origin,
        model_sha256=arguments.model_sha256,
    )


def _pool(arguments: Namespace) -> None:
    inputs = read_inputs(arguments.inputs)
    from trainer.data import load
    from trainer.pool import Pool

    Pool(load(inputs)).serve()


def _parser() -> ArgumentParser:
    parser = ArgumentParser(prog="trainer", description="Makes trials and bundles.")
    commands = parser.add_subparsers(required=True, metavar="trial|seal|pool")
    trial = commands.add_parser("trial", help="train one assignment and report its objective")
    trial.set_defaults(command=_trial)
    _add_assignment(trial)
    trial.add_argument("--keep-below", type=float, help="keep only a model with a lower objective")
    seal = commands.add_parser("seal", help="refit a recipe and make it a bundle with evidence")
    seal.set_defaults(command=_seal)
    _add_assignment(seal)
    seal.add_argument("--model-sha256", help="what the refitted model must be")
    for name in ("experiment", "trial", "backend", "image", "commit"):
        seal.add_argument(f"--{name}", help="for the bundle's provenance")
    pool = commands.add_parser("pool", help="train what stdin asks for, one fork each")
    pool.set_defaults(command=_pool)
    _add_inputs(pool)
    return parser


def _add_inputs(parser: ArgumentParser) -> None:
    parser.add_argument("--inputs", type=Path, required=True, help="inputs directory")


def _add_assignment(parser: ArgumentParser) -> None:
    _add_inputs(parser)
    parser.add_argument("--output", type=Path, required=True, help="directory to make")
    parser.add_argument("--family", type=Family, choices=list(Family), required=True)
    parser.add_argument("assignment", nargs="*", metavar="name=value")


if __name__ == "__main__":
    sys.exit(main())
