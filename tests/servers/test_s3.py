import subprocess
import sys
from pathlib import Path

import pytest
from obstore.exceptions import AlreadyExistsError

from tests.server.running import wait_until
from tools.project_directory import ROOT
from tools.s3_server import S3Server, s3_server
from tools.server_process import ServerStartError, answers, free_port, server_process

# Starts a server in the directory of its argument, prints its URL and waits.
_PARENT = """
import sys
from pathlib import Path
from tools.s3_server import s3_server
with s3_server(Path(sys.argv[1])) as server:
    print(server.url, flush=True)
    sys.stdin.read()
"""


@pytest.mark.parametrize("name", ["s3", "moto"])
def test_a_key_is_created_once(name: str, request: pytest.FixtureRequest) -> None:
    server: S3Server = request.getfixturevalue(name)
    client = server.client(server.new_bucket())
    client.put("history/1.json", b"first", mode="create")
    with pytest.raises(AlreadyExistsError):
        client.put("history/1.json", b"second", mode="create")
    assert bytes(client.get("history/1.json").bytes()) == b"first"


def test_a_restarted_server_has_its_objects(tmp_path: Path) -> None:
    port = free_port()
    with s3_server(tmp_path, port=port) as server:
        client = server.client(server.new_bucket())
        client.put("key", b"content")
    assert not answers(server.url)
    with s3_server(tmp_path, port=port):
        assert bytes(client.get("key").bytes()) == b"content"


def test_a_server_ends_with_its_killed_parent(tmp_path: Path) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", _PARENT, str(tmp_path)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with parent:
        assert parent.stdout
        url = parent.stdout.readline().strip()
        assert answers(url)
        parent.kill()
    wait_until(lambda: not answers(url))


def test_the_error_of_a_failed_start_has_the_output(tmp_path: Path) -> None:
    command = ["sh", "-c", "echo no license"]
    url = f"http://127.0.0.1:{free_port()}"
    with (
        pytest.raises(ServerStartError, match="no license"),
        server_process(command, url=url, log=tmp_path / "log", environment={}),
    ):
        pass
