"""Standardisation of the target, so that no model depends on the target's unit."""

from dataclasses import dataclass

import numpy as np
from msgspec import UNSET, UnsetType

from housectl.contract.graph.format import MAX_LOGARITHM
from housectl.contract.schema import Transform
from housectl_trainer.exact_sums import mean, standard_deviation
from housectl_trainer.logarithm import exp, log
from housectl_trainer.subset import Floats

_STEPS = 2.0**30


@dataclass(frozen=True, kw_only=True)
class TargetScale:
    """The scale on which a model is trained: mean 0 and standard deviation 1.

    Parameters of a family that depend on the target's unit, such as `reg_alpha`, so count standard
    deviations of the target.

    Attributes:
        transform: Transformation of the targets.
        centre: Mean of the transformed targets.
        deviation: Standard deviation of the transformed targets; 1 if they are equal.
    """

    transform: Transform | UnsetType = UNSET
    centre: float = 0.0
    deviation: float = 1.0

    @classmethod
    def of(cls, targets: Floats, transform: Transform | UnsetType = UNSET) -> "TargetScale":
        """Return the scale of some training targets."""
        values = _transformed(targets, transform)
        centre = mean(values)
        deviation = standard_deviation(values)
        return cls(transform=transform, centre=centre, deviation=deviation or 1.0)

    def standardise(self, targets: Floats) -> Floats:
        """Return targets on the scale of training, as multiples of 2**-30.

        Without these steps, the last bits would depend on the unit, and decide between equally good
        splits.
        """
        values = (_transformed(targets, self.transform) - self.centre) / self.deviation
        standardised: Floats = np.rint(values * _STEPS) / _STEPS
        return standardised

    def restore(self, predictions: Floats) -> Floats:
        """Return predictions of a model in the target's unit."""
        values = predictions * self.deviation + self.centre
        if self.transform is UNSET:
            return values
        return exp(np.clip(values, -MAX_LOGARITHM, MAX_LOGARITHM))


def _transformed(targets: Floats, transform: Transform | UnsetType) -> Floats:
    return targets if transform is UNSET else log(targets)
