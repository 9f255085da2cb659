"""Settings of S3 in AWS's shared files, which the client library does not read."""

import os
import re
import shlex
from collections.abc import Mapping
from configparser import ConfigParser, Error
from pathlib import Path
from typing import TYPE_CHECKING

from housectl.errors import ObjectStoreError

if TYPE_CHECKING:
    from obstore.store import S3Config

_DEFAULT_PROFILE = "default"
_DEFAULT_REGION = "us-east-1"
_MAX_BYTES = 2**20
_REGION = re.compile(r"[A-Za-z0-9-]{1,64}")
_ENDPOINT = re.compile(
    r"https?://([A-Za-z0-9_.-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?(/[\w.~/-]*)?",
    re.ASCII,
)
_EXAMPLES = {"AWS_REGION": "us-east-1", "AWS_ENDPOINT_URL": "https://s3.us-east-1.amazonaws.com"}
_ENDPOINT_VARIABLES = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")
# With one of these variables, the client finds the credentials itself.
_CREDENTIAL_VARIABLES = (
    "AWS_ACCESS_KEY_ID",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
)
_KEY_VARIABLES = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
# Fields of profiles whose credentials another program must fetch.
_INDIRECT_FIELDS = ("sso_session", "sso_start_url", "role_arn", "credential_process")


def aws_settings() -> "S3Config":
    """Return region and endpoint, and the credentials of the profile if no variable has others.

    The client ends the process at some invalid values, so they are checked here.

    Raises:
        ObjectStoreError: A variable is invalid, or the profile is missing or has no keys.
    """
    _check_variables()
    name = os.environ.get("AWS_PROFILE") or _DEFAULT_PROFILE
    profile = _read_profile(name)
    region = _first("AWS_REGION", "AWS_DEFAULT_REGION") or profile.get("region", _DEFAULT_REGION)
    _require(_REGION, region, "region", "AWS_REGION")
    settings: S3Config = {"region": region}
    if endpoint := _endpoint(profile, region):
        settings["endpoint"] = endpoint
    if not _first(*_CREDENTIAL_VARIABLES):
        _add_keys(settings, profile, name)
    return settings


def _endpoint(profile: Mapping[str, str], region: str) -> str | None:
    """Return the endpoint; None for the client's default."""
    endpoint = _first(*_ENDPOINT_VARIABLES) or profile.get("endpoint_url")
    if endpoint:
        _require(_ENDPOINT, endpoint, "endpoint", _ENDPOINT_VARIABLES[-1])
        return endpoint.rstrip("/")
    is_empty = any(name in os.environ for name in _ENDPOINT_VARIABLES)
    return f"https://s3.{region}.amazonaws.com" if is_empty else None


def _first(*names: str) -> str | None:
    """Return the value of the first variable that is set and not empty."""
    return next(filter(None, map(os.environ.get, names)), None)


def _check_variables() -> None:
    for name, value in os.environ.items():
        if name.startswith("AWS_") and not value.isprintable():
            raise _invalid_variable(name, "it has a line break or control character")
        if name in _KEY_VARIABLES and not value:
            raise _invalid_variable(name, "it is empty")


def _invalid_variable(name: str, problem: str) -> ObjectStoreError:
    return ObjectStoreError(
        f"The variable {name} is invalid: {problem}.",
        hint=f"unset {name}   # or export another value",
    )


def _require(pattern: re.Pattern[str], value: str, what: str, variable: str) -> None:
    if not pattern.fullmatch(value):
        raise ObjectStoreError(
            f"The {what} of S3 is invalid: the value has an unexpected form.",
            hint=f"export {variable}={_EXAMPLES[variable]}   # for example",
        )


def _add_keys(settings: "S3Config", profile: Mapping[str, str], name: str) -> None:
    if {"aws_access_key_id", "aws_secret_access_key"} <= profile.keys():
        settings["access_key_id"] = profile["aws_access_key_id"]
        settings["secret_access_key"] = profile["aws_secret_access_key"]
        if token := profile.get("aws_session_token"):
            settings["session_token"] = token
    elif profile.keys() & {*_INDIRECT_FIELDS} or name != _DEFAULT_PROFILE:
        raise ObjectStoreError(
            f"The AWS profile {name} cannot be used: it is missing or has no keys of its own.",
            hint='eval "$(aws configure export-credentials '
            f'--profile {shlex.quote(name)} --format env)"',
        )


def _read_profile(name: str) -> Mapping[str, str]:
    """Return the fields of a profile in both files; the credentials file takes precedence."""
    section = name if name == _DEFAULT_PROFILE else f"profile {name}"
    return {
        **_read_section("AWS_CONFIG_FILE", "config", section),
        **_read_section("AWS_SHARED_CREDENTIALS_FILE", "credentials", name),
    }


def _read_section(variable: str, default: str, section: str) -> Mapping[str, str]:
    path = Path(os.environ.get(variable) or f"~/.aws/{default}")
    parser = ConfigParser(interpolation=None, strict=False)
    try:
        with path.expanduser().open(encoding="utf-8") as file:
            parser.read_string(file.read(_MAX_BYTES))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, Error, RuntimeError) as error:
        raise ObjectStoreError(
            f"The AWS settings {path} cannot be read: {type(error).__name__}.",
            hint=f"ls -l {shlex.quote(str(path))}",
        ) from error
    return dict(parser[section]) if parser.has_section(section) else {}
