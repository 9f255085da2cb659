"""Credentials, region and endpoint of S3 in AWS's shared files."""

from pathlib import Path

import pytest

from housectl.errors import ObjectStoreError
from housectl.store.objects.aws_profile import aws_settings
from tests.store.remote import open_remote
from tools.s3_server import S3Server


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home directory without settings, and no variables of AWS."""
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "REGION", "ENDPOINT_URL", "PROFILE"):
        monkeypatch.delenv(f"AWS_{name}", raising=False)
    (tmp_path / ".aws").mkdir()
    return tmp_path


def write(home: Path, name: str, text: str) -> None:
    (home / ".aws" / name).write_text(text)


@pytest.mark.parametrize("profile", ["default", "team"])
def test_profile_reaches_the_server(
    profile: str, home: Path, s3: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = s3.environment
    section = "default" if profile == "default" else f"profile {profile}"
    write(home, "config", f"[{section}]\nregion = us-east-1\nendpoint_url = {s3.url}/\n")
    write(
        home,
        "credentials",
        f"[{profile}]\naws_access_key_id = {keys['AWS_ACCESS_KEY_ID']}\n"
        f"aws_secret_access_key = {keys['AWS_SECRET_ACCESS_KEY']}\n",
    )
    monkeypatch.setenv("AWS_PROFILE", profile)
    store = open_remote(f"s3://{s3.new_bucket()}/houses")
    assert store._create("notes.txt", b"text")
    assert store._read("notes.txt") == b"text"


def test_variables_take_precedence(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(home, "credentials", "[default]\naws_access_key_id=a\naws_secret_access_key=b\n")
    write(home, "config", "[default]\nregion=eu-west-1\nendpoint_url=http://a\n")
    assert aws_settings() == {
        "region": "eu-west-1",
        "endpoint": "http://a",
        "access_key_id": "a",
        "secret_access_key": "b",
    }
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "c")
    monkeypatch.setenv("AWS_REGION", "eu-north-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://c")
    assert aws_settings() == {"region": "eu-north-1", "endpoint": "http://c"}


def test_without_settings_the_client_decides() -> None:
    assert aws_settings() == {"region": "us-east-1"}


@pytest.mark.parametrize(
    "config", ["[default]\nsso_session = a\n", "[default]\nrole_arn = arn:aws:iam::1:role/a\n"]
)
def test_profile_without_keys_has_an_export_hint(config: str, home: Path) -> None:
    write(home, "config", config)
    with pytest.raises(ObjectStoreError, match="AWS profile default cannot be used") as error:
        aws_settings()
    assert "aws configure export-credentials --profile default" in error.value.hint


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("AWS_ENDPOINT_URL", "localhost:9000"),
        ("AWS_ENDPOINT_URL", "http://user:TOPSECRET@host"),
        ("AWS_ENDPOINT_URL", "http://host?key=TOPSECRET"),
        ("AWS_ENDPOINT_URL", "http://127.0.0.1:99999"),
        ("AWS_ENDPOINT_URL", "http://[::1"),
        ("AWS_REGION", "eu west"),
        ("AWS_ACCESS_KEY_ID", "TOPSECRET\n"),
        ("AWS_SESSION_TOKEN", "TOPSECRET\r"),
        ("AWS_SESSION_TOKEN", ""),
        ("AWS_SECRET_ACCESS_KEY", ""),
    ],
)
def test_invalid_variable_is_reported_without_its_value(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "b")
    monkeypatch.setenv(name, value)
    with pytest.raises(ObjectStoreError) as error:
        open_remote("s3://bucket/houses").history()
    assert "TOPSECRET" not in error.value.message + error.value.hint


def test_empty_variable_counts_as_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "")
    monkeypatch.setenv("AWS_REGION", "")
    assert aws_settings() == {
        "region": "us-east-1",
        "endpoint": "https://s3.us-east-1.amazonaws.com",
    }


def test_missing_profile_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "it's")
    with pytest.raises(ObjectStoreError, match="AWS profile it's cannot be used") as error:
        aws_settings()
    assert "'it'\"'\"'s'" in error.value.hint


@pytest.mark.parametrize(
    "content", [b"TOPSECRET", b"\xffTOPSECRET", b"[default]\nTOPSECRET", b"[TOPSECRET"]
)
def test_malformed_file_is_reported_without_its_content(content: bytes, home: Path) -> None:
    (home / ".aws" / "credentials").write_bytes(content)
    with pytest.raises(ObjectStoreError, match="cannot be read") as error:
        aws_settings()
    assert "TOPSECRET" not in error.value.message
