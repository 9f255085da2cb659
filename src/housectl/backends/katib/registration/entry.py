"""The entry of the algorithm `housectl` in Katib's configuration."""

from collections.abc import Mapping

from housectl.backends.katib.plan.pod_spec import SECURITY_CONTEXT
from housectl.search.katib_texts import ALGORITHM, HEALTH_SERVICE, SUGGESTION_PORT

Entry = Mapping[str, object]

MEMORY_LIMIT = "256Mi"


def algorithm_entry(image: str) -> Entry:
    """Return the entry for an image of the service.

    Katib's own readiness probe first asks after 10 s. This one asks at once, and then every second.
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
            "periodSeconds": 1,
            "timeoutSeconds": 5,
        },
        "securityContext": SECURITY_CONTEXT,
    }
