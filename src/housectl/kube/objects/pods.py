"""Pods and their containers."""

from datetime import datetime

from housectl.kube.objects.base import Condition, KubeObject, NamedObject, ObjectMeta


class Waiting(KubeObject):
    """The reason for which a container has not started."""

    reason: str = ""
    message: str = ""


class Running(KubeObject):
    """The start of a running container."""

    started_at: datetime | None = None


class Terminated(KubeObject):
    """The end of a container."""

    exit_code: int
    signal: int = 0
    reason: str = ""
    message: str = ""
    started_at: datetime | None = None
    finished_at: datetime | None = None


class ContainerState(KubeObject):
    """The state of a container; one of the three fields is set."""

    waiting: Waiting | None = None
    running: Running | None = None
    terminated: Terminated | None = None


class ContainerStatus(KubeObject):
    """The status of a container."""

    name: str
    image_id: str = ""
    restart_count: int = 0
    state: ContainerState = ContainerState()
    last_state: ContainerState = ContainerState()


class ContainerResources(KubeObject):
    """The requests and limits of a container, as quantities such as 500m and 4Gi."""

    requests: dict[str, str] = {}
    limits: dict[str, str] = {}


class Container(KubeObject):
    """A container of a pod."""

    name: str
    image: str = ""
    command: list[str] = []
    resources: ContainerResources = ContainerResources()


class PvcSource(KubeObject):
    """The PVC of a volume."""

    claim_name: str


class PodVolume(KubeObject):
    """A volume of a pod."""

    name: str
    persistent_volume_claim: PvcSource | None = None


class PodSpec(KubeObject):
    """The specification of a pod."""

    init_containers: list[Container] = []
    containers: list[Container] = []
    volumes: list[PodVolume] = []
    node_name: str = ""
    node_selector: dict[str, str] = {}


class PodStatus(KubeObject):
    """The status of a pod; `phase` is Pending, Running, Succeeded, Failed or Unknown."""

    phase: str = ""
    reason: str = ""
    message: str = ""
    conditions: list[Condition] = []
    container_statuses: list[ContainerStatus] = []
    init_container_statuses: list[ContainerStatus] = []


class Pod(NamedObject):
    """A pod."""

    metadata: ObjectMeta
    spec: PodSpec = PodSpec()
    status: PodStatus = PodStatus()
