"""Features that give the target almost exactly, alone or together."""

from collections.abc import Iterator, Sequence

from housectl.data_checks.combinations import find_linear_combination, find_product
from housectl.data_checks.copies import find_copies
from housectl.data_checks.problem import DataProblem
from housectl.data_checks.sample import Sample

_MAX_NAMES = 6


def find_leakage(sample: Sample, target: str) -> Iterator[DataProblem]:
    """Yield each feature, and each combination of other features, that gives the target."""
    copies = find_copies(sample)
    for name, relation in copies.items():
        yield DataProblem(
            message=f"{name} gives {target} {relation}.",
            hint=f"Move {name} to `exclude:` in housectl.yaml, unless it is known before {target}.",
        )
    others = [name for name in sample.numbers if name not in copies]
    if names := find_linear_combination(sample, others):
        yield _combination(names, target, "a linear combination")
    elif names := find_product(sample, others):
        yield _combination(names, target, "a product or ratio")


def _combination(names: Sequence[str], target: str, kind: str) -> DataProblem:
    shown = ", ".join(names[:_MAX_NAMES])
    more = f" and {len(names) - _MAX_NAMES} more" if len(names) > _MAX_NAMES else ""
    return DataProblem(
        message=f"{target} is almost exactly {kind} of {shown}{more}.",
        hint=f"Move {names[0]} or others of them to `exclude:` in housectl.yaml, unless all are "
        f"known before {target}.",
    )
