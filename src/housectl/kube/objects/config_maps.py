"""A ConfigMap."""

import msgspec

from housectl.kube.objects.base import NamedObject


class ConfigMap(NamedObject):
    """A ConfigMap; its values are texts, such as files."""

    data: dict[str, str] = msgspec.field(default_factory=dict)
