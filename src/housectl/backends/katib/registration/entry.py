"""The entry of the algorithm `housectl` in Katib's configuration."""

from collections.abc import Mapping

from housectl.search.katib_texts import ALGORITHM

Entry = Mapping[str, object]

MEMORY_LIMIT = "256Mi"
SUGGESTION_PORT = 6789
HEALTH_SERVICE = "manager.v1beta1.Suggestion"
_USER = 10001


def algorithm_entry(image: str) -> Entry:
    """Return the entry for an image of the service.

    Katib's own readiness probe first asks after 10 s, so this entry has another.
    """
    return {
        "algorithmName": ALGORITHM,
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "resources": {
            "requests": {"cpu": "50m", "memory": "64Mi"},
            "limits": {"cpu": "1", "memory": MEMORY_LIMIT},
        },
        "readinessProbe": {
            "grpc": {"port": SUGGESTION_PORT, "service": HEALTH_SERVICE},
            "initialDelaySeconds": 1,
            "periodSeconds": 1,
            "timeoutSeconds": 5,
        },
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": _USER,
            "runAsGroup": _USER,
            "readOnlyRootFilesystem": True,
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "seccompProfile": {"type": "RuntimeDefault"},
        },
    }
