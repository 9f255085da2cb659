"""Where it is written what the containers of a pod are made of."""

from dataclasses import dataclass

from housectl.backends.katib.diagnosis.cause import KubectlTarget
from housectl.backends.katib.katib_names import configuration


@dataclass(frozen=True, kw_only=True)
class ConfigSource:
    """How to change what a container is made of.

    Attributes:
        image: How to name another image.
        resources: Where it says how much it asks for.
    """

    image: str
    resources: str


TRAINER = ConfigSource(
    image="name another: housectl tune --image IMAGE",
    resources="what it asks for stands under katib: in housectl.yaml",
)


def of_katib(place: KubectlTarget) -> ConfigSource:
    """Return the origin of what Katib brings: collectors, and the services of algorithms."""
    edit = configuration(place)
    return ConfigSource(image=f"name another: {edit}", resources=f"what it asks for: {edit}")
