"""Pods and their containers."""

from datetime import datetime

from housectl.kube.objects.base import Condition, ObjectMeta, View


class Waiting(View):
    """Why a container has not started."""

    reason: str = ""
    message: str = ""


class Running(View):
    """Since when a container runs."""

    started_at: datetime | None = None


class Terminated(View):
    """How a container ended."""

    exit_code: int
    signal: int = 0
    reason: str = ""
    message: str = ""
    started_at: datetime | None = None
    finished_at: datetime | None = None


class ContainerState(View):
    """One of the three."""

    waiting: Waiting | None = None
    running: Running | None = None
    terminated: Terminated | None = None


class ContainerStatus(View):
    """How a container of a pod stands."""

    name: str
    restart_count: int = 0
    state: ContainerState = ContainerState()
    last_state: ContainerState = ContainerState()


class Resources(View):
    """What a container asks for and may use, as texts such as 500m and 4Gi."""

    requests: dict[str, str] = {}
    limits: dict[str, str] = {}


class Container(View):
    """A container of a pod."""

    name: str
    image: str = ""
    command: list[str] = []
    resources: Resources = Resources()


class ClaimSource(View):
    """Which claim a volume is."""

    claim_name: str


class Volume(View):
    """A volume of a pod."""

    name: str
    persistent_volume_claim: ClaimSource | None = None


class PodSpec(View):
    """What a pod should be."""

    init_containers: list[Container] = []
    containers: list[Container] = []
    volumes: list[Volume] = []
    node_name: str = ""
    node_selector: dict[str, str] = {}


class PodStatus(View):
    """How a pod stands; `phase` is Pending, Running, Succeeded, Failed or Unknown."""

    phase: str = ""
    reason: str = ""
    message: str = ""
    conditions: list[Condition] = []
    container_statuses: list[ContainerStatus] = []
    init_container_statuses: list[ContainerStatus] = []


class Pod(View):
    """A pod."""

    metadata: ObjectMeta
    spec: PodSpec = PodSpec()
    status: PodStatus = PodStatus()
