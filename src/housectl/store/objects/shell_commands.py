"""Shell commands on the objects of a store, for hints."""

import shlex

from housectl.store.address import Provider, RemoteAddress


def list_command(address: RemoteAddress, key: str) -> str:
    """Return the command that lists an object, or the objects of a folder."""
    url = _url(address, key)
    match address.provider:
        case Provider.S3:
            return shlex.join(["aws", "s3", "ls", "--recursive", url])
        case Provider.GCS:
            return shlex.join(["gcloud", "storage", "ls", "--recursive", url])
        case Provider.AZURE:
            return _azure(address, "list", "--prefix", _path(address, key), "--output", "table")


def remove_command(address: RemoteAddress, *keys: str) -> str:
    """Return the command that removes objects."""
    match address.provider:
        case Provider.S3:
            return " && ".join(shlex.join(["aws", "s3", "rm", _url(address, key)]) for key in keys)
        case Provider.GCS:
            return shlex.join(["gcloud", "storage", "rm", *(_url(address, key) for key in keys)])
        case Provider.AZURE:
            return " && ".join(
                _azure(address, "delete", "--name", _path(address, key)) for key in keys
            )


def remove_folder_command(address: RemoteAddress, key: str) -> str:
    """Return the command that removes all objects of a folder."""
    match address.provider:
        case Provider.S3:
            return shlex.join(["aws", "s3", "rm", "--recursive", f"{_url(address, key)}/"])
        case Provider.GCS:
            return shlex.join(["gcloud", "storage", "rm", "--recursive", f"{_url(address, key)}/"])
        case Provider.AZURE:
            pattern = f"{_path(address, key)}/*"
            return shlex.join(
                [
                    *("az", "storage", "blob", "delete-batch"),
                    *("--source", address.bucket, "--pattern", pattern),
                ]
            )


def _azure(address: RemoteAddress, verb: str, *options: str) -> str:
    return shlex.join(["az", "storage", "blob", verb, "--container-name", address.bucket, *options])


def _url(address: RemoteAddress, key: str) -> str:
    return f"{address}/{key}"


def _path(address: RemoteAddress, key: str) -> str:
    return f"{address.prefix}/{key}".lstrip("/")
