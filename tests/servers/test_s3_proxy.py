import pytest
from obstore.exceptions import AlreadyExistsError, BaseError
from obstore.store import S3Store

from tests.servers.s3_proxy import Fault, S3Proxy, S3Request, s3_proxy
from tools.s3_server import S3Server

KEY = "history/1.json"


@pytest.fixture
def client(proxy: S3Proxy) -> S3Store:
    client = proxy.server.client(proxy.server.new_bucket())
    proxy.forget_requests()
    return client


def create(client: S3Store) -> None:
    client.put(KEY, b"content", mode="create")


def test_requests_are_forwarded_and_recorded(proxy: S3Proxy, client: S3Store) -> None:
    create(client)
    assert bytes(client.get(KEY).bytes()) == b"content"
    assert client.head(KEY)["size"] == len(b"content")
    assert client.list_with_delimiter("history/")["objects"][0]["path"] == KEY
    with pytest.raises(FileNotFoundError):
        client.head("history/2.json")
    assert proxy.requests == [
        S3Request(operation="PUT", key=KEY, is_conditional=True),
        S3Request(operation="GET", key=KEY, is_conditional=False),
        S3Request(operation="HEAD", key=KEY, is_conditional=False),
        S3Request(operation="LIST", key="history/", is_conditional=False),
        S3Request(operation="HEAD", key="history/2.json", is_conditional=False),
    ]


@pytest.mark.parametrize("fault", [Fault.CUT_BEFORE, Fault.CUT_AFTER, Fault.SLOW_DOWN])
def test_only_the_request_before_a_lost_answer_is_done(
    fault: Fault, proxy: S3Proxy, client: S3Store
) -> None:
    proxy.fail_nth(0, fault)
    with pytest.raises(BaseError):
        create(client)
    if fault is Fault.CUT_AFTER:
        assert bytes(client.get(KEY).bytes()) == b"content"
    else:
        create(client)


@pytest.mark.parametrize("fault", [Fault.CONFLICT, Fault.EXISTS])
def test_a_refused_creation_writes_nothing(fault: Fault, proxy: S3Proxy, client: S3Store) -> None:
    proxy.fail_all(fault)
    with pytest.raises(AlreadyExistsError):
        create(client)
    proxy.fail_none()
    with pytest.raises(FileNotFoundError):
        client.head(KEY)


def test_a_truncated_answer_fails(proxy: S3Proxy, client: S3Store) -> None:
    create(client)
    proxy.fail_nth(0, Fault.TRUNCATE)
    with pytest.raises(BaseError):
        client.get(KEY).bytes()


def test_an_ignored_condition_replaces_the_object(moto: S3Server) -> None:
    with s3_proxy(moto) as proxy:
        client = proxy.server.client(proxy.server.new_bucket())
        create(client)
        proxy.fail_all(Fault.IGNORE_CONDITION)
        client.put(KEY, b"other", mode="create")
        assert bytes(client.get(KEY).bytes()) == b"other"
