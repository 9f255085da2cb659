"""Pods and their containers."""

from datetime import datetime

from housectl.kube.objects.base import Condition, KubeObject, ObjectMeta


class Waiting(KubeObject):
    """Why a container has not started."""

    reason: str = ""
    message: str = ""


class Running(KubeObject):
    """Since when a container runs."""

    started_at: datetime | None = None


class Terminated(KubeObject):
    """How a container ended."""

    exit_code: int
    signal: int = 0
    reason: str = ""
    message: str = ""
    started_at: datetime | None = None
    finished_at: datetime | None = None


class ContainerState(KubeObject):
    """One of the three."""

    waiting: Waiting | None = None
    running: Running | None = None
    terminated: Terminated | None = None


class ContainerStatus(KubeObject):
    """How a container of a pod stands."""

    name: str
    restart_count: int = 0
    state: ContainerState = ContainerState()
    last_state: ContainerState = ContainerState()


class Resources(KubeObject):
    """What a container asks for and may use, as texts such as 500m and 4Gi."""

    requests: dict[str, str] = {}
    limits: dict[str, str] = {}


class Container(KubeObject):
    """A container of a pod."""

    name: str
    image: str = ""
    command: list[str] = []
    resources: Resources = Resources()


class PvcSource(KubeObject):
    """Which claim a volume is."""

    claim_name: str


class Volume(KubeObject):
    """A volume of a pod."""

    name: str
    persistent_volume_claim: PvcSource | None = None


class PodSpec(KubeObject):
    """What a pod should be."""

    init_containers: list[Container] = []
    containers: list[Container] = []
    volumes: list[Volume] = []
    node_name: str = ""
    node_selector: dict[str, str] = {}


class PodStatus(KubeObject):
    """How a pod stands; `phase` is Pending, Running, Succeeded, Failed or Unknown."""

    phase: str = ""
    reason: str = ""
    message: str = ""
    conditions: list[Condition] = []
    container_statuses: list[ContainerStatus] = []
    init_container_statuses: list[ContainerStatus] = []


class Pod(KubeObject):
    """A pod."""

    metadata: ObjectMeta
    spec: PodSpec = PodSpec()
    status: PodStatus = PodStatus()
