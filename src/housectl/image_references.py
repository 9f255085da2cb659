"""References of container images, such as `registry.example/team/housectl-trainer@sha256:…`."""

import re

_DIGEST = r"sha256:[0-9a-f]{64}"


def digest_in(reference: str) -> str | None:
    """Return the digest in a reference; None if it has a tag or neither."""
    match = re.search(rf"@({_DIGEST})$", reference)
    return match[1] if match else None


def by_digest(reference: str, digest: str) -> str:
    """Return the reference of the same repository with a digest instead of its tag."""
    return f"{repository_of(reference)}@{digest}"


def repository_of(reference: str) -> str:
    """Return a reference without tag and digest."""
    name = reference.partition("@")[0]
    # The port of a registry also follows a colon.
    return re.sub(r":[^/:]*$", "", name)
