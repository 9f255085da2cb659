from pathlib import Path

import pytest

from housectl.errors import UsageError
from housectl.store.address import Provider, RemoteAddress, StoreAddress

SECRET = "wJalrXUtnFEMI"


@pytest.mark.parametrize("text", ["champions", "../a b", "/srv/store", "./s3://x", "a:b", "s3:"])
def test_other_texts_are_paths(text: str) -> None:
    address = StoreAddress.parse(text)
    assert address.value == Path(text)
    assert not address.is_remote


@pytest.mark.parametrize("provider", Provider)
@pytest.mark.parametrize("prefix", ["", "houses", "teams/a_b/houses=2"])
def test_url_names_provider_bucket_and_prefix(provider: Provider, prefix: str) -> None:
    address = StoreAddress.parse(f"{provider}://bucket-1/{prefix}")
    assert address.value == RemoteAddress(provider=provider, bucket="bucket-1", prefix=prefix)
    assert address.is_remote
    assert StoreAddress.parse(str(address)) == address
    assert StoreAddress.parse(f"{provider}://bucket-1/{prefix}/") == address


@pytest.mark.parametrize(
    "url",
    [
        "ftp://bucket/houses",
        "S3://bucket/houses",
        "file:///srv/store",
        "s3:/bucket/houses",
        "s3:///bucket",
        "s3://",
        "s3://b",
        "s3://Bucket",
        "s3://bucket:9000/houses",
        f"s3://key:{SECRET}@bucket/houses",
        f"s3://bucket/houses?secret={SECRET}",
        f"az://container#{SECRET}",
        "az://con--tainer",
        "s3://bucket//houses",
        "s3://bucket/houses//",
        "s3://bucket/../houses",
        "s3://bucket/./houses",
        "s3://bucket/a b",
        "s3://bucket/a\nb",
        "s3://bucket/é",
        "s3://bucket/%2e%2e",
        f"s3://bucket/{'a' * 2000}",
    ],
)
def test_malformed_url_is_rejected(url: str) -> None:
    with pytest.raises(UsageError) as error:
        StoreAddress.parse(url)
    assert "s3://BUCKET/PREFIX" in error.value.hint
    assert SECRET not in error.value.message
