"""The definition of a model family: parameters, search spaces, libraries and names."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from housectl.contract.parameters import ParameterDomain, Value

_TREES_DO_NOT_EXTRAPOLATE = (
    "Trees do not extrapolate: outside the features' ranges, predictions equal those at the edge."
)


@dataclass(frozen=True)
class Library:
    """A library that decides a model, so that recipes record its version.

    Attributes:
        name: Name in recipes.
        import_name: Name of its Python package.
        distributions: Names under which it is installed; the first installed one counts.
    """

    name: str
    import_name: str
    distributions: tuple[str, ...]


@dataclass(frozen=True)
class SearchRange:
    """A range to search; both ends are included.

    Attributes:
        step: Distance of the values from the minimum upward; None for all values.
    """

    minimum: float
    maximum: float
    log: bool = False
    step: float | None = None


@dataclass(frozen=True, kw_only=True)
class FamilySpace:
    """The ranges of the searched parameters, and the values of fixed ones."""

    ranges: Mapping[str, SearchRange]
    fixed: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class FamilyDefinition:
    """The facts of one family in the family registry.

    Attributes:
        short_name: Suffix of a Katib Experiment's name if an experiment has several families.
        trainer_module: Module of `housectl_trainer.families` that trains the family.
        native_file: File of the library's own model.
        parity_bound: Largest difference between model and ONNX graph, relative to the standard
            deviation of the training target.
        domains: The domain of each parameter.
        default_space: The few parameters that decide a model's quality.
        wide_space: An extensive space, for budgets of a hundred trials or more.
        extrapolation: Sentence of the model card about rows outside the features' ranges.
        turns: Trials of the family in each round of a search over several families.
        libraries: Libraries that train the family.
        library_defaults: The library's own values of the searched parameters.
        hand_tuned: Values that differ from the defaults in a recipe that does well on small data.
        tree_count: Name of the parameter with the number of trees.
    """

    short_name: str
    trainer_module: str
    native_file: str
    parity_bound: float
    domains: Mapping[str, ParameterDomain]
    default_space: FamilySpace
    wide_space: FamilySpace
    extrapolation: str = _TREES_DO_NOT_EXTRAPOLATE
    turns: int = 2
    libraries: tuple[Library, ...] = ()
    library_defaults: Mapping[str, Value] = field(default_factory=dict)
    hand_tuned: Mapping[str, Value] = field(default_factory=dict)
    tree_count: str | None = None

    def trees_of(self, assignment: Mapping[str, Value]) -> int:
        """Return the number of trees of an assignment; 1 for a model without trees."""
        if self.tree_count is None:
            return 1
        default = self.library_defaults[self.tree_count]
        return int(assignment.get(self.tree_count, default))

    @property
    def starting_points(self) -> tuple[Mapping[str, Value], ...]:
        """Recipes that a search tries first: the library's own, and the hand-tuned one."""
        return self.library_defaults, {**self.library_defaults, **self.hand_tuned}
