"""The trainer's command line: `python -m housectl_trainer COMMAND --inputs DIR …`."""

import os
import sys
from argparse import SUPPRESS, ArgumentParser, Namespace
from dataclasses import fields
from functools import partial
from pathlib import Path

from housectl.contract.assignments import assignments_of, parse_assignments, read_assignment
from housectl.contract.bundle_record import RecipeOrigin
from housectl.contract.families import Family
from housectl.contract.golden import GoldenSource
from housectl.contract.inputs import read_inputs
from housectl.contract.metrics import NO_RIVAL
from housectl.contract.path_names import checked_name
from housectl.contract.temp_files import remove_temp_files_of
from housectl.contract.trial_output import read_rival, remove_trial_output
from housectl.errors import ExitStatus
from housectl_trainer.exit_codes import run_and_report
from housectl_trainer.supervised_run import SupervisionOptions, run_supervised

_THREADS = "OMP_NUM_THREADS"


def main() -> int:
    """Run one command and return its exit status."""
    arguments = _parser().parse_args()
    # The numerical libraries read these variables when they are imported, which is later. The pool
    # forks and so must not have threads; the others divide their work better than BLAS.
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    if arguments.command is not _trial:
        os.environ[_THREADS] = "1"
    work = partial(arguments.command, arguments)
    options = _supervision_options(arguments)
    try:
        if options == SupervisionOptions():
            return run_and_report(work)
        return run_supervised(work, options)
    except KeyboardInterrupt:
        return ExitStatus.INTERRUPTED


def _trial(arguments: Namespace) -> None:
    texts = assignments_of(arguments.family, arguments.assignment)
    assignment = read_assignment(arguments.family, parse_assignments(texts))
    inputs = read_inputs(arguments.inputs)
    rival = _rival(arguments)
    remove_trial_output(arguments.output)
    from housectl_trainer.data import load_training_data
    from housectl_trainer.trial import run_trial

    run_trial(
        load_training_data(inputs),
        arguments.family,
        assignment,
        output=arguments.output,
        rival=rival,
        threads=int(os.environ.get(_THREADS, "1")),
    )


def _rival(arguments: Namespace) -> tuple[float, ...] | None:
    """Return the fold MSEs of the trial to beat, whose output is beside this trial's."""
    if arguments.rival == NO_RIVAL:
        return None
    return read_rival(arguments.output.absolute().parent / checked_name(arguments.rival))


def _seal(arguments: Namespace) -> None:
    assignment = read_assignment(arguments.family, parse_assignments(arguments.assignment))
    inputs = read_inputs(arguments.inputs)
    remove_temp_files_of(arguments.output)
    from housectl_trainer.data import load_dataset
    from housectl_trainer.sealing.seal import seal

    origin = RecipeOrigin(
        experiment=arguments.experiment,
        trial=arguments.trial,
        backend=arguments.backend,
        image=arguments.image,
        commit=arguments.commit,
    )
    seal(
        load_dataset(inputs),
        arguments.family,
        assignment,
        output=arguments.output,
        origin=origin,
        model_sha256=arguments.model_sha256,
        golden=arguments.golden,
    )


def _pool(arguments: Namespace) -> None:
    inputs = read_inputs(arguments.inputs)
    from housectl_trainer.data import load_training_data
    from housectl_trainer.pool import Pool

    Pool(load_training_data(inputs)).serve()


def _estimate(arguments: Namespace) -> None:
    inputs = read_inputs(arguments.inputs)
    from housectl_trainer.data import load_training_data
    from housectl_trainer.time_estimate import answer_requests

    answer_requests(load_training_data(inputs))


def _supervision_options(arguments: Namespace) -> SupervisionOptions:
    names = {field.name for field in fields(SupervisionOptions)}
    return SupervisionOptions(
        **{name: value for name, value in vars(arguments).items() if name in names}
    )


def _parser() -> ArgumentParser:
    parser = ArgumentParser(
        prog="housectl-trainer", description="Train trials, and seal models into bundles."
    )
    commands = parser.add_subparsers(required=True, metavar="trial|seal|pool|estimate")
    trial = commands.add_parser("trial", help="train one assignment and report its objective")
    trial.set_defaults(command=_trial)
    _add_assignment(trial)
    trial.add_argument(
        "--rival",
        metavar="TRIAL",
        default=NO_RIVAL,
        help=f"trial to beat, or {NO_RIVAL} (default: %(default)s)",
    )
    seal = commands.add_parser("seal", help="refit a recipe and write a bundle with evidence")
    seal.set_defaults(command=_seal)
    _add_assignment(seal)
    seal.add_argument("--model-sha256", help="expected digest of the refitted model file")
    seal.add_argument(
        "--golden",
        type=GoldenSource,
        choices=list(GoldenSource),
        default=GoldenSource.DATA,
        help="origin of the golden rows",
    )
    for name in ("experiment", "trial", "backend", "image", "commit"):
        seal.add_argument(f"--{name}", help=f"{name} in the bundle's provenance")
    pool = commands.add_parser(
        "pool", help="train the trials that stdin requests, in forked processes"
    )
    pool.set_defaults(command=_pool)
    _add_inputs(pool)
    estimate = commands.add_parser(
        "estimate", help="estimate the time of the assignments that stdin requests"
    )
    estimate.set_defaults(command=_estimate)
    _add_inputs(estimate)
    return parser


def _add_inputs(parser: ArgumentParser) -> None:
    parser.add_argument("--inputs", type=Path, required=True, help="inputs directory")


def _add_assignment(parser: ArgumentParser) -> None:
    _add_inputs(parser)
    parser.add_argument("--output", type=Path, required=True, help="directory to write")
    parser.add_argument("--family", type=Family, choices=list(Family), required=True)
    parser.add_argument("assignment", nargs="*", metavar="name=value")
    _add_supervision_options(parser)


def _add_supervision_options(parser: ArgumentParser) -> None:
    options = parser.add_argument_group("supervision in a pod", argument_default=SUPPRESS)
    options.add_argument(
        "--min-runtime", type=float, metavar="SECONDS", help="shortest time that the process runs"
    )
    options.add_argument(
        "--deadline", type=float, metavar="SECONDS", help="time after which the process ends"
    )
    options.add_argument(
        "--termination-report",
        type=Path,
        action="append",
        metavar="FILE",
        help="file to rewrite every second with the peak memory, and at the end with the error",
    )


if __name__ == "__main__":
    sys.exit(main())
