"""Files of the page: read once, and sent with a tag, so that browsers fetch them again only if new.

All URLs in the files are relative, so the page works behind a proxy that adds a prefix.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from hashlib import sha256
from http import HTTPStatus
from importlib.resources import files

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

INDEX = "index.html"

_MEDIA_TYPES = {
    "css": "text/css",
    "html": "text/html",
    "js": "text/javascript",
    "svg": "image/svg+xml",
}
# Only files of this server may load, and no script may write HTML.
_HEADERS = {
    "Cache-Control": "no-cache",
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


@dataclass(frozen=True)
class Asset:
    """A file of the page."""

    content: bytes
    media_type: str

    @cached_property
    def tag(self) -> str:
        """Entity tag of the content."""
        return f'"{sha256(self.content).hexdigest()[:32]}"'

    def respond(self, request: Request) -> Response:
        """Return the file, or status 304 if the browser has it."""
        headers = {**_HEADERS, "ETag": self.tag}
        known = request.headers.get("if-none-match", "").split(",")
        if self.tag in {tag.strip().removeprefix("W/") for tag in known}:
            return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
        return Response(self.content, media_type=self.media_type, headers=headers)


@cache
def read_assets() -> Mapping[str, Asset]:
    """Return the files of the page by name."""
    return {
        file.name: Asset(file.read_bytes(), _MEDIA_TYPES[file.name.rpartition(".")[2]])
        for file in files("housectl_server.page").joinpath("static").iterdir()
    }


def page_routes() -> tuple[Route, ...]:
    """Return the routes of the page and of its files."""
    return (
        Route("/", _answer_index, include_in_schema=False),
        Route("/page/{name}", _answer_file, include_in_schema=False),
    )


async def _answer_index(request: Request) -> Response:
    return read_assets()[INDEX].respond(request)


async def _answer_file(request: Request) -> Response:
    asset = read_assets().get(request.path_params["name"])
    if asset is None:
        raise HTTPException(HTTPStatus.NOT_FOUND)
    return asset.respond(request)
