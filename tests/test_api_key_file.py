"""The file of API keys, and the commands that change it."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from housectl.api_key_file import ApiKeyFile
from housectl.contract.api_keys import MAX_KEYS, ApiKey, format_keys, key_digest, read_keys
from housectl.errors import ExitStatus, UsageError
from tools.project_directory import ProjectDirectory, example

DIGEST = "ab" * 32


@pytest.fixture
def file(tmp_path: Path) -> ApiKeyFile:
    return ApiKeyFile(tmp_path / "keys" / "api-keys")


def test_keys_are_added_and_removed(file: ApiKeyFile) -> None:
    first, second = file.add("web-shop"), file.add("a@b.example")
    assert first != second
    assert file.keys() == (
        ApiKey(name="web-shop", digest=key_digest(first)),
        ApiKey(name="a@b.example", digest=key_digest(second)),
    )
    assert first not in file.path.read_text()
    file.remove("web-shop")
    file.remove("a@b.example")
    assert file.keys() == ()


def test_key_is_long_and_random(file: ApiKeyFile) -> None:
    key = file.add("web-shop")
    assert key.startswith("hk_")
    assert len(key.removeprefix("hk_")) == 43


def test_parallel_commands_lose_no_key(file: ApiKeyFile) -> None:
    names = [f"client-{number}" for number in range(40)]
    with ThreadPoolExecutor(8) as threads:
        keys = dict(zip(names, threads.map(file.add, names), strict=True))
    added = {ApiKey(name=name, digest=key_digest(key)) for name, key in keys.items()}
    assert set(file.keys()) == added


@pytest.mark.parametrize("name", ["", "two words", "-x", "a" * 65, "é", "a\n"])
def test_invalid_name_is_rejected(file: ApiKeyFile, name: str) -> None:
    with pytest.raises(UsageError, match="is invalid"):
        file.add(name)
    assert not file.path.exists()


def test_name_is_unique(file: ApiKeyFile) -> None:
    file.add("web-shop")
    before = file.path.read_bytes()
    with pytest.raises(UsageError, match="has a key 'web-shop' already"):
        file.add("web-shop")
    with pytest.raises(UsageError, match="has no key 'other'"):
        file.remove("other")
    assert file.path.read_bytes() == before


@pytest.mark.parametrize(
    ("content", "cause"),
    [
        (b"", "it is empty"),
        (b" \n", "it is empty"),
        (b"hk_secret web-shop\n", "line 1 is not a sha256"),
        (f"# keys\n\n{DIGEST}\n".encode(), "line 3 is not a sha256"),
        (f"{DIGEST} two words\n".encode(), "line 1 is not a sha256"),
        (f"{DIGEST} a\n{DIGEST[::-1]} a\n".encode(), "two keys have the same name"),
        (b"\xff", "can't decode byte"),
        (b"#" * 300_000, "Larger than"),
    ],
)
def test_invalid_file_is_rejected(tmp_path: Path, content: bytes, cause: str) -> None:
    path = tmp_path / "keys"
    path.write_bytes(content)
    with pytest.raises(UsageError, match=cause) as error:
        read_keys(path)
    assert "secret" not in str(error.value)


def test_file_has_a_largest_number_of_keys(file: ApiKeyFile) -> None:
    keys = [ApiKey(name=f"client-{number}", digest=DIGEST) for number in range(MAX_KEYS)]
    file.path.parent.mkdir()
    file.path.write_bytes(format_keys(keys))
    assert len(file.keys()) == MAX_KEYS
    with pytest.raises(UsageError, match="the largest number"):
        file.add("one-more")
    file.path.write_bytes(format_keys([*keys, ApiKey(name="one-more", digest=DIGEST)]))
    with pytest.raises(UsageError, match="more than 1000 keys"):
        file.keys()


def test_file_of_other_programs_is_read(tmp_path: Path) -> None:
    """As sha256sum and an editor of Windows write it."""
    path = tmp_path / "keys"
    path.write_bytes(f"\ufeff# keys\r\n{DIGEST}\tweb-shop  \r\n# end".encode())
    assert read_keys(path) == (ApiKey(name="web-shop", digest=DIGEST),)


def test_path_that_is_no_file_has_a_hint_that_ends(tmp_path: Path) -> None:
    os.mkfifo(fifo := tmp_path / "fifo")
    for path in (tmp_path, fifo):
        with pytest.raises(UsageError, match="Not a regular file") as error:
            ApiKeyFile(path).add("web-shop")
        assert error.value.hint.startswith("ls -ld ")


def test_change_keeps_links_and_permissions(tmp_path: Path) -> None:
    path, link = tmp_path / "secrets" / "api-keys", tmp_path / "api-keys"
    path.parent.mkdir()
    path.touch()
    path.chmod(0o640)
    if os.getuid() == 0:
        os.chown(path, 65534, 65534)
    before = path.stat()
    link.symlink_to(path)
    file = ApiKeyFile(link)
    file.add("web-shop")
    file.add("other")
    file.remove("other")
    assert link.is_symlink()
    assert [key.name for key in read_keys(path)] == ["web-shop"]
    after = path.stat()
    assert (after.st_mode, after.st_uid, after.st_gid) == (
        before.st_mode,
        before.st_uid,
        before.st_gid,
    )


def test_loop_of_links_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "api-keys"
    path.symlink_to(path)
    with pytest.raises(UsageError, match="symbolic links"):
        read_keys(path)
    ApiKeyFile(path).add("web-shop")
    assert [key.name for key in read_keys(path)] == ["web-shop"]


@pytest.fixture
def project(tmp_path: Path) -> ProjectDirectory:
    return example(".", tmp_path / "boston", serve={"api_keys_file": "keys"})


def test_commands_print_the_key_once(project: ProjectDirectory) -> None:
    added = project.run_ok("keys", "add", "web-shop", "--json")
    key = str(added.json["key"])
    digest = key_digest(key)
    assert (project.path / "keys").read_text().splitlines()[1:] == [f"{digest} web-shop"]
    listed = project.run_ok("keys", "list", "--json")
    assert listed.json == {"keys": [{"name": "web-shop", "sha256": digest[:12]}]}
    assert key not in listed.out + listed.err + added.err
    assert project.run_ok("keys", "remove", "web-shop").out.split() == ["removed", "web-shop"]
    assert project.run_ok("keys", "list", "--json").json == {"keys": []}


def test_project_without_file_gets_a_hint_that_works(tmp_path: Path) -> None:
    project = example(".", tmp_path / "boston")
    output = project.run("keys", "add", "web-shop")
    assert output.status == ExitStatus.USAGE
    assert "`serve.api_keys_file` is not set" in output.err
    project.run_ok("keys", "add", "web-shop", "--api-keys-file", "api-keys")
    listed = project.run_ok("keys", "list", "--json", HOUSECTL_API_KEYS_FILE="api-keys")
    assert [row["name"] for row in listed.json["keys"]] == ["web-shop"]  # type: ignore[attr-defined]
