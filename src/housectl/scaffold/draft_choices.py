"""Choices of a drafted project file beyond its columns: split, transformation and search."""

from collections.abc import Iterator
from dataclasses import dataclass

from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from housectl.contract.data.table import Table
from housectl.contract.recipe import Split, SplitMethod
from housectl.contract.schema import Schema, Transform
from housectl.data_checks.checks import TRAPS, CheckedData
from housectl.data_checks.sample import draw_sample
from housectl.data_checks.target_values import needs_logarithm
from housectl.data_checks.time_order import (
    describe_time_split,
    find_time_split,
    possible_time_splits,
)
from housectl.scaffold.search_choices import SearchChoices, choose_search

# Unlike the split by whole rows, it does not change with the unit of the target.
DRAFT_SPLIT = Split(method=SplitMethod.HASH_FEATURES)


@dataclass(frozen=True, kw_only=True)
class DraftChoices:
    """Proposals for a project file, with notes for its author.

    Attributes:
        transform: Transformation of the target for training; unset for none.
        search: Families, space and folds.
    """

    split: Split = DRAFT_SPLIT
    transform: Transform | UnsetType = UNSET
    search: SearchChoices
    notes: tuple[str, ...] = ()


def make_choices(schema: Schema, table: Table) -> DraftChoices:
    """Return the choices for a table with this schema, and the traps that remain with them."""
    search = choose_search(len(table))
    split = find_time_split(schema, table) or DRAFT_SPLIT
    sample = draw_sample(schema, table)
    transform = Transform.LOG if needs_logarithm(sample) else UNSET
    target = replace(schema.target, transform=transform)
    data = CheckedData(replace(schema, target=target), table, split, sample)
    problems = (problem for find in TRAPS.values() for problem in find(data))
    return DraftChoices(
        split=split,
        transform=transform,
        search=search,
        notes=(*_reasons(schema, table, split, transform), *search.notes, *map(str, problems)),
    )


def _reasons(
    schema: Schema, table: Table, split: Split, transform: Transform | UnsetType
) -> Iterator[str]:
    if split.time_column is not None:
        yield (
            f"The rows are in the order of {split.time_column}, so the draft holds out the latest "
            "ones: `split: {method: time}`."
        )
    elif proposals := list(possible_time_splits(schema, table)):
        yield (
            f"If the model will predict later rows, hold out the latest ones: "
            f"`split: {describe_time_split(proposals[0])}`."
        )
    if transform is not UNSET:
        yield (
            f"{schema.target.name} is heavily skewed, so the draft learns its logarithm: "
            "`target: {transform: log}`. Errors stay in its own unit."
        )
