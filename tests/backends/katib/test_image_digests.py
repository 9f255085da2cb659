"""The digest of the image that a task's pod ran, from the container runtimes' image IDs."""

import pytest

from housectl.backends.katib.image_digests import pulled_digest, trusted_image
from housectl.errors import UsageError
from housectl.image_references import by_digest, digest_in, repository_of
from housectl.kube.objects.base import ObjectMeta
from housectl.kube.objects.pods import ContainerStatus, Pod, PodStatus

DIGEST = f"sha256:{'a' * 64}"
OTHER = f"sha256:{'b' * 64}"


def pod(*image_ids: str, name: str = "trainer") -> Pod:
    statuses = [ContainerStatus(name=name, image_id=image_id) for image_id in image_ids]
    return Pod(metadata=ObjectMeta(name="pod"), status=PodStatus(container_statuses=statuses))


@pytest.mark.parametrize(
    ("image", "image_id", "expected"),
    [
        ("host:5000/team/trainer:dev", f"host:5000/team/trainer@{DIGEST}", DIGEST),
        ("team/trainer:dev", f"docker.io/team/trainer@{DIGEST}", DIGEST),
        ("host/team/trainer", f"docker-pullable://host/team/trainer@{DIGEST}", DIGEST),
        ("trainer:dev", f"docker.io/library/trainer@{DIGEST}", None),
        ("host/team/trainer:dev", f"docker.io/library/import-2025@{DIGEST}", None),
        ("host/team/trainer:dev", f"host/otherteam/trainer@{DIGEST}", None),
        ("host/team/trainer:dev", f"otherhost/team/trainer@{DIGEST}", None),
        ("host/team/trainer:dev", DIGEST, None),
        ("host/team/trainer:dev", f"docker://{DIGEST}", None),
        ("host/team/trainer:dev", "", None),
        (f"host/team/trainer@{DIGEST}", f"host/team/trainer@{OTHER}", DIGEST),
        (f"host/team/trainer@{DIGEST}", "", DIGEST),
    ],
)
def test_digest_is_known_for_pulled_images(image: str, image_id: str, expected: str | None) -> None:
    assert pulled_digest(image, [pod(image_id)]) == expected


def test_other_containers_are_ignored() -> None:
    assert pulled_digest("host/a:dev", [pod(f"host/a@{DIGEST}", name="istio-proxy")]) is None
    assert pulled_digest("host/a:dev", []) is None


@pytest.mark.parametrize("recorded", ["other/trainer:dev", "host/team/trainer2", "evil:1"])
def test_recorded_image_of_another_repository_is_refused(recorded: str) -> None:
    with pytest.raises(UsageError, match="is not from the repository") as caught:
        trusted_image(recorded, own_image="host/team/trainer:dev")
    assert f"--image {recorded} " in caught.value.hint


@pytest.mark.parametrize("suffix", ["", ":dev", f"@{DIGEST}", f":dev@{DIGEST}"])
def test_reference_by_digest_has_no_tag(suffix: str) -> None:
    assert by_digest(f"host:5000/a/b{suffix}", OTHER) == f"host:5000/a/b@{OTHER}"
    assert repository_of(f"host:5000/a/b{suffix}") == "host:5000/a/b"


def test_tag_is_no_digest() -> None:
    assert digest_in("host/a:dev") is None
    assert digest_in(f"host/a:dev@{DIGEST}") == DIGEST
    assert digest_in("host/a@sha256:0") is None
