"""Client of a Kubeflow Model Registry: finds, creates and changes objects of the server 0.3."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NoReturn

from housectl.deadline import Deadline
from housectl.errors import RegistryRejectedError, RegistryUnavailableError
from housectl.registry.connection import Answer, RegistryConnection, open_connection
from housectl.registry.objects import RegistryObject, WantedObject, parse_object, parse_page

_API = "/api/model_registry/v1alpha3"
_HEALTH = "/readyz/health"

_PAGE_SIZE = 100
_MAX_PAGES = 100

_OK, _CREATED = 200, 201
_DENIED = frozenset({401, 403})
_NOT_FOUND, _CONFLICT, _UNPROCESSABLE, _TOO_MANY_REQUESTS = 404, 409, 422, 429
_REDIRECTS = range(300, 400)
_SERVER_ERRORS = range(500, 600)


@dataclass(frozen=True)
class Kind:
    """The paths of one kind of objects.

    Attributes:
        title: Name of the kind, for messages.
        query: Path that finds an object by its name and its parent.
        collection: Path of the objects of a parent.
        item: Path of the object with an id.
    """

    title: str
    query: str
    collection: str
    item: str


MODEL = Kind("model", "registered_model", "registered_models", "registered_models/{id}")
VERSION = Kind(
    "version", "model_version", "registered_models/{parent}/versions", "model_versions/{id}"
)
ARTIFACT = Kind(
    "artifact", "model_artifact", "model_versions/{parent}/artifacts", "model_artifacts/{id}"
)


@dataclass(frozen=True)
class RegistryClient:
    """Requests to one registry.

    Every method raises RegistryUnavailableError if the registry or its database does not answer,
    and RegistryRejectedError if it rejects the request or its answer is invalid.
    """

    connection: RegistryConnection

    def check_health(self) -> None:
        """Raise an error unless the registry reports that its database answers.

        Without its database, a registry answers 404 to requests for an object that it has.
        """
        answer = self.connection.send("GET", _HEALTH)
        if answer.status == _OK and answer.text == "OK":
            return
        if answer.status in {_OK, _NOT_FOUND}:
            raise RegistryRejectedError(
                f"The URL {self.connection.url} is not that of a Kubeflow Model Registry: "
                f"{answer}.",
                hint="housectl doctor --registry-url http://127.0.0.1:8080   # the right URL",
            )
        self._raise(answer)

    def check_write_permission(self) -> None:
        """Raise an error unless the registry accepts writes; change nothing.

        The request lacks the required name. The registry reports that, unless a proxy in front of
        it denies the request first.
        """
        answer = self.connection.send("POST", f"{_API}/{MODEL.collection}", body={"name": ""})
        if answer.status != _UNPROCESSABLE:
            self._fail(answer)

    def find(self, kind: Kind, name: str, *, parent: str = "") -> RegistryObject | None:
        """Return the object with a name below a parent; None if it does not exist."""
        parameters = {"name": name} | ({"parentResourceId": parent} if parent else {})
        answer = self.connection.send("GET", f"{_API}/{kind.query}", parameters=parameters)
        if answer.status == _NOT_FOUND:
            self.check_health()
            return None
        return self._parse(answer, name=name)

    def get(self, kind: Kind, found: RegistryObject) -> RegistryObject:
        """Return an object again, as it is now."""
        answer = self.connection.send("GET", f"{_API}/{kind.item.format(id=found.id)}")
        return self._parse(answer, name=found.name)

    def list_all(self, kind: Kind, *, parent: str) -> list[RegistryObject]:
        """Return all objects of a parent, from all pages of the list."""
        objects: list[RegistryObject] = []
        token = ""
        for _ in range(_MAX_PAGES):
            page, token = self._page(kind.collection.format(parent=parent), token)
            objects += page
            if not token:
                return objects
        raise RegistryRejectedError(
            f"The list of the model registry has more than {_MAX_PAGES * _PAGE_SIZE} objects.",
            hint="housectl registry sync --registry-name NAME   # a new registered model",
        )

    def create(
        self, kind: Kind, wanted: WantedObject, *, parent: str = ""
    ) -> RegistryObject | None:
        """Create an object, and return it; None if another command was faster."""
        path = f"{_API}/{kind.collection.format(parent=parent)}"
        body = wanted.creation() | ({"registeredModelId": parent} if kind is VERSION else {})
        answer = self.connection.send("POST", path, body=body)
        if answer.status == _CONFLICT and self.find(kind, wanted.name, parent=parent):
            return None
        return self._parse(answer, name=wanted.name, expected=_CREATED)

    def change(self, kind: Kind, wanted: WantedObject, found: RegistryObject) -> RegistryObject:
        """Give a found object the fields and properties that it lacks."""
        path = f"{_API}/{kind.item.format(id=found.id)}"
        answer = self.connection.send("PATCH", path, body=wanted.change(found))
        return self._parse(answer, name=wanted.name)

    def _page(self, path: str, token: str) -> tuple[list[RegistryObject], str]:
        parameters = {"pageSize": str(_PAGE_SIZE)} | ({"nextPageToken": token} if token else {})
        answer = self.connection.send("GET", f"{_API}/{path}", parameters=parameters)
        if answer.status != _OK:
            self._fail(answer)
        return parse_page(answer.body, answer.request)

    def _parse(self, answer: Answer, *, name: str, expected: int = _OK) -> RegistryObject:
        if answer.status != expected:
            self._fail(answer)
        found = parse_object(answer.body, answer.request)
        if found.name != name:
            raise RegistryRejectedError(
                f"The answer of the model registry to {answer.request} is invalid: it is about "
                f"{found.name!r} instead of {name!r}.",
                hint="housectl doctor   # checks the URL of the registry",
            )
        return found

    def _fail(self, answer: Answer) -> NoReturn:
        """Raise the error of an unexpected answer: first that of an unavailable database."""
        if answer.status not in {*_DENIED, *_REDIRECTS, *_SERVER_ERRORS}:
            self.check_health()
        self._raise(answer)

    def _raise(self, answer: Answer) -> NoReturn:
        if answer.status in {_TOO_MANY_REQUESTS, *_SERVER_ERRORS}:
            raise RegistryUnavailableError(
                f"The model registry {self.connection.url} is unavailable: {answer}.",
                hint="housectl registry sync   # repairs the registry when it is available",
            )
        if answer.status in _DENIED:
            raise RegistryRejectedError(
                f"The model registry {self.connection.url} denies access: {answer}.",
                hint="export HOUSECTL_REGISTRY_TOKEN=…   # a token of a user with write permission",
            )
        raise RegistryRejectedError(
            f"The model registry {self.connection.url} rejects a request: {answer}.",
            hint="housectl doctor   # checks URL, health and write permission",
        )


@contextmanager
def connect(url: str, *, token: str | None, deadline: Deadline) -> Iterator[RegistryClient]:
    """Yield a client of the registry at a URL; `deadline` ends its requests."""
    with open_connection(url, token=token, deadline=deadline) as connection:
        yield RegistryClient(connection)
