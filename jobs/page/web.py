"""The page over HTTP: its files, and JSON for its questions. It reads and never writes, and answers this machine alone.

Whoever asks must name a host that the page is known by (DNS rebinding), and pages of others may not ask. Only this
page's own script runs, and it may talk to this page alone.
"""

from __future__ import annotations

import gzip
import ipaddress
import logging
import re
from collections.abc import Awaitable, Callable, Collection
from pathlib import Path
from typing import Any, Final

import orjson
from aiohttp import web
from aiohttp.web_exceptions import HTTPException

from jobs.page.service import Asked, Service, UnknownError, asked_of
from streams.domain.findings import IngestError, KilowatchError, StoreAwayError

LOG: Final = logging.getLogger("kilowatch.page")
BUNDLE: Final = Path(__file__).parent / "bundle"
TYPES: Final = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".txt": "text/plain; charset=utf-8",
}
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Styles are written by the components as the page runs."""
HEADERS: Final = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-cache",
}
PANEL: Final = re.compile("[0-9]{1,9}")
MOST_BYTES: Final = 64 << 10
SHUTDOWN_S: Final = 2.0
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def check_address(option: str, host: str, public: Collection[str]) -> None:
    """IngestError for an address that other machines reach, unless the names by which they do are given."""
    if not public and not is_loopback(host):
        raise IngestError(
            f"{option}: expected a loopback address such as 127.0.0.1:3000, or --public NAME with the name by which "
            f"browsers reach it (whoever reaches it reads the whole store); found {host}"
        )


def is_loopback(host: str) -> bool:
    """Whether a host to listen on is this machine alone."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def page_runner(service: Service, address: tuple[str, int], public: Collection[str] = ()) -> web.AppRunner:
    """What serves the page; questions that a browser does not wait for any more are ended."""
    app = page_app(service, address, public)
    return web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=SHUTDOWN_S)


def page_app(service: Service, address: tuple[str, int], public: Collection[str] = ()) -> web.Application:
    """The application; `public` are further names, with or without port, by which browsers may reach it."""
    page = _Page(service, _hosts(address) | {name.lower() for name in public})
    app = web.Application(middlewares=[page.guard], client_max_size=MOST_BYTES)
    app.router.add_get("/api/page", page.about)
    app.router.add_get("/api/dashboards/{language}/{uid}", page.dashboard)
    app.router.add_post("/api/dashboards/{language}/{uid}/variables", page.variables)
    app.router.add_post("/api/dashboards/{language}/{uid}/panels/{panel}", page.panel)
    app.router.add_get("/assets/{name}", page.asset)
    for path in ("/", "/d/{uid}", "/d/{uid}/{slug}"):
        app.router.add_get(path, page.start)
    return app


def _hosts(address: tuple[str, int]) -> set[str]:
    """What a browser of this machine puts into `Host`."""
    host, port = address
    names = {"127.0.0.1", "localhost", "[::1]", f"[{host}]" if ":" in host else host} - {"0.0.0.0", "[::]"}  # noqa: S104
    return {f"{name}:{port}" for name in names} | (names if port == 80 else set())


class _Page:
    def __init__(self, service: Service, hosts: set[str]) -> None:
        self._service, self._hosts = service, hosts
        self._files = {path.name: path.read_bytes() for path in sorted(BUNDLE.iterdir()) if path.suffix in TYPES}
        self._zipped = {name: gzip.compress(content, 6, mtime=0) for name, content in self._files.items()}

    @web.middleware
    async def guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Let in who may ask, tell what went wrong as JSON, and put the same headers on every answer."""
        answer: web.StreamResponse
        if request.host.lower() not in self._hosts and request.host.rpartition(":")[0].lower() not in self._hosts:
            answer = _json({"error": f"expected a Host of {', '.join(sorted(self._hosts))}; found another"}, 421)
        elif request.headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin") and _is_api(request):
            answer = _json({"error": "expected a question of this page; found one of another"}, 403)
        else:
            answer = await self._answered(request, handler)
        answer.headers.update(HEADERS)
        return answer

    async def _answered(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except HTTPException as error:
            return _json({"error": error.reason}, error.status)
        except UnknownError as error:
            return _json({"error": str(error)}, 404)
        except StoreAwayError as error:
            LOG.warning("page_store_away", extra={"fields": {"reason": str(error)}})
            return _json({"error": str(error)}, 503)
        except KilowatchError as error:
            return _json({"error": str(error)}, 422)

    async def start(self, _: web.Request) -> web.Response:
        """The page itself, wherever in it a browser begins."""
        return self._file("index.html", zipped=False)

    async def asset(self, request: web.Request) -> web.Response:
        """A file of the page."""
        return self._file(request.match_info["name"], zipped="gzip" in request.headers.get("Accept-Encoding", ""))

    def _file(self, name: str, *, zipped: bool) -> web.Response:
        if name not in self._files:
            raise web.HTTPNotFound(reason="no such file")
        body = self._zipped[name] if zipped else self._files[name]
        headers = {"Content-Type": TYPES[Path(name).suffix], **({"Content-Encoding": "gzip"} if zipped else {})}
        return web.Response(body=body, headers=headers)

    async def about(self, _: web.Request) -> web.Response:
        """Languages and dashboards."""
        return _json(await self._service.about())

    async def dashboard(self, request: web.Request) -> web.Response:
        """One dashboard."""
        found = self._service.dashboard(request.match_info["language"], request.match_info["uid"])
        return _json({"language": found.language, "dashboard": found.content})

    async def variables(self, request: web.Request) -> web.Response:
        """Options and choice of its variables."""
        found = self._service.dashboard(request.match_info["language"], request.match_info["uid"])
        return _json({"variables": await self._service.variables(found, await _asked(request))})

    async def panel(self, request: web.Request) -> web.Response:
        """The frames of one panel."""
        found = self._service.dashboard(request.match_info["language"], request.match_info["uid"])
        panel = request.match_info["panel"]
        if not PANEL.fullmatch(panel):
            raise UnknownError(f"expected the id of a panel; found {panel[:20]!r}")
        return _json(await self._service.panel(found, int(panel), await _asked(request)))


def _is_api(request: web.Request) -> bool:
    return request.path.startswith("/api/")


async def _asked(request: web.Request) -> Asked:
    if request.content_type != "application/json":
        raise web.HTTPUnsupportedMediaType(reason="expected Content-Type application/json")
    try:
        return asked_of(orjson.loads(await request.read()))
    except orjson.JSONDecodeError as error:
        raise web.HTTPBadRequest(reason="expected JSON") from error


def _json(content: Any, status: int = 200) -> web.Response:  # noqa: ANN401 - JSON
    return web.Response(body=orjson.dumps(content), status=status, content_type="application/json")
