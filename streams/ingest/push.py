"""HTTP for gateways that push: `POST /telemetry/{site}` with a token; 202 only when the telemetry is safe.

Every answer is JSON. The limit on size counts what comes out of a gzipped body. Tokens are kept as SHA-256 alone.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import logging
import re
import zlib
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson
from aiohttp import web
from aiohttp.web_exceptions import HTTPException

from streams.domain.findings import IngestError, KilowatchError
from streams.ingest.records import Append, Message, one_line
from streams.ingest.spool import SpoolFull
from streams.ingest.tally import Tally

LOG: Final = logging.getLogger("kilowatch.push")
MOST_BYTES: Final = 4 << 20
RETRY_AFTER_S: Final = 10
SHUTDOWN_S: Final = 2.0
SHA256: Final = re.compile(r"[0-9a-f]{64}")
WORD: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


@dataclass(frozen=True, slots=True)
class Gateway:
    """Who may push: the hash of its token, and its sites (None: any)."""

    name: str
    sha256: str
    sites: frozenset[str] | None


class Tokens:
    """The file of tokens: lines of `gateway sha256-of-token site,site` or `*`; read again whenever it changes."""

    def __init__(self, path: Path) -> None:
        """Read the file; IngestError with the line where it is wrong."""
        self.path = path
        self._seen = self._stamp()
        self._gateways = list(_parsed(path))

    def gateway(self, token: str) -> Gateway | None:
        """Whose token it is. Every line is compared, in the same time wherever the difference lies."""
        self._renew()
        digest = hashlib.sha256(token.encode("utf-8", "surrogateescape")).hexdigest()
        found = [each for each in self._gateways if hmac.compare_digest(each.sha256, digest)]
        return found[0] if found else None

    def _renew(self) -> None:
        stamp = self._stamp()
        if stamp == self._seen:
            return
        self._seen = stamp
        try:
            self._gateways = list(_parsed(self.path))
            LOG.info("tokens_read", extra={"fields": {"gateways": len(self._gateways)}})
        except IngestError as error:
            LOG.error("tokens_unreadable", extra={"fields": {"reason": str(error), "kept": len(self._gateways)}})

    def _stamp(self) -> tuple[int, int] | None:
        try:
            found = self.path.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size


def _parsed(path: Path) -> Iterator[Gateway]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise IngestError(
            f"{path}: expected a file of tokens; found: {reason} (see `kilowatch token --help`)"
        ) from error
    seen: dict[str, int] = {}
    for number, line in enumerate(lines, start=1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        if len(words) != 3 or not WORD.fullmatch(words[0]) or not SHA256.fullmatch(words[1]):
            raise IngestError(
                f"{path}:{number}: expected `gateway sha256-of-token sites,with,commas` or `*`; "
                f"found {len(words)} words (make the line with `kilowatch token`)"
            )
        if words[1] in seen:
            raise IngestError(f"{path}:{number}: expected each token once; found it in line {seen[words[1]]} as well")
        seen[words[1]] = number
        yield Gateway(words[0], words[1], None if words[2] == "*" else frozenset(words[2].split(",")))
    if not seen:
        raise IngestError(f"{path}: expected at least one token; found none (make one with `kilowatch token`)")


def token_line(gateway: str, token: str, sites: str) -> str:
    """The line of the file for a token; IngestError for names that it cannot hold."""
    names = [gateway, *([] if sites == "*" else sites.split(","))]
    wrong = [name for name in names if not WORD.fullmatch(name)]
    if wrong:
        raise IngestError(
            f"expected names of letters, digits, `.`, `_` and `-`, sites with commas or `*`; found {wrong[0]!r}"
        )
    return f"{gateway} {hashlib.sha256(token.encode()).hexdigest()} {sites}"


def push_app(
    append: Append, tokens: Tokens, clock: Callable[[], int], tally: Tally, most_bytes: int = MOST_BYTES
) -> web.Application:
    """The application; `clock` gives UTC milliseconds. Counts `messages_in` and `bytes_in` (`http`), and `refused`."""
    door = _Door(append, tokens, clock, tally, most_bytes)
    app = web.Application(middlewares=[door.answers], client_max_size=most_bytes)
    app.router.add_post("/telemetry/{site}", door.telemetry)
    app.router.add_get("/healthz", door.healthz)
    return app


def push_runner(app: web.Application) -> web.AppRunner:
    """The runner for it: bodies come as they were sent, since aiohttp takes a gzip that ends too early for whole."""
    return web.AppRunner(app, access_log=None, auto_decompress=False, shutdown_timeout=SHUTDOWN_S)


class _Door:
    def __init__(self, append: Append, tokens: Tokens, clock: Callable[[], int], tally: Tally, most_bytes: int) -> None:
        self._append, self._tokens, self._clock, self._tally = append, tokens, clock, tally
        self._most_bytes = most_bytes

    @web.middleware
    async def answers(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        """Turn what aiohttp refuses by itself (unknown paths and methods) into JSON too."""
        try:
            return await handler(request)
        except HTTPException as error:
            return _answer(error.status, error=error.reason)

    async def healthz(self, _: web.Request) -> web.Response:
        """Say that the door is open."""
        return _answer(200, status="ok")

    async def telemetry(self, request: web.Request) -> web.Response:
        """Take telemetry of one site."""
        site = request.match_info["site"]
        kind, _, token = request.headers.get("Authorization", "").partition(" ")
        gateway = self._tokens.gateway(token.strip()) if kind.lower() == "bearer" else None
        if gateway is None:
            self._tally.add("refused", "no or wrong token")
            answer = _answer(401, error="expected the header `Authorization: Bearer <token>` with a valid token")
            answer.headers["WWW-Authenticate"] = "Bearer"
            return answer
        if gateway.sites is not None and site not in gateway.sites:
            self._tally.add("refused", "token of another site")
            return _answer(403, error=f"gateway {gateway.name!r} may not send for site {site!r}")
        if request.headers.get("Content-Encoding", "identity").lower() not in ("identity", "gzip"):
            self._tally.add("refused", "unknown encoding")
            return _answer(415, error="expected Content-Encoding gzip, or none")
        try:
            body = await self._body(request)
        except web.HTTPRequestEntityTooLarge:
            self._tally.add("refused", "body too large")
            return _answer(413, error=f"expected at most {self._most_bytes:,} bytes, uncompressed")
        except (zlib.error, web.RequestPayloadError):
            self._tally.add("refused", "broken body")
            return _answer(400, error="expected a whole body, gzipped if Content-Encoding says so")
        return await asyncio.to_thread(self._take, site, gateway, body)

    async def _body(self, request: web.Request) -> bytes:
        """The body, uncompressed; piece by piece, so that one that swells is refused before it is in memory."""
        gzipped = request.headers.get("Content-Encoding", "identity").lower() == "gzip"
        unpack, body = _Gzip(), bytearray()
        async for piece in request.content.iter_any():
            body += unpack(piece, self._most_bytes + 1 - len(body)) if gzipped else piece
            if len(body) > self._most_bytes:
                raise web.HTTPRequestEntityTooLarge(self._most_bytes, len(body))
        if gzipped and not unpack.whole:
            raise zlib.error("ends too early")
        return bytes(body)

    def _take(self, site: str, gateway: Gateway, body: bytes) -> web.Response:
        value = one_line(body)
        found = list(_documents(value))
        if not found:
            self._tally.add("refused", "not JSON")
            return _answer(400, error="expected JSON, or lines of JSON, as in docs/telemetry.md; found none")
        if gateway.sites is not None:
            other = next((point for point in _points(found) if not point.startswith(f"{site}/")), None)
            if other is not None:
                self._tally.add("refused", "point of another site")
                return _answer(403, error=f"expected points of site {site!r}; found {other[:100]!r}")
        message = Message(site, f"http:{gateway.name}", value, self._clock())
        try:
            self._append([message])
        except SpoolFull:
            self._tally.add("refused", "spool full")
            return self._later("no room at the moment; send it again later")
        except KilowatchError as error:
            LOG.error("push_not_stored", extra={"fields": {"reason": str(error), "gateway": gateway.name}})
            self._tally.add("refused", "spool error")
            return self._later("cannot be stored at the moment; send it again later")
        self._tally.add("messages_in", "http")
        self._tally.add("bytes_in", "http", len(body))
        return _answer(202, accepted=len(body))

    def _later(self, error: str) -> web.Response:
        answer = _answer(503, error=error)
        answer.headers["Retry-After"] = str(RETRY_AFTER_S)
        return answer


class _Gzip:
    """Unpacks gzip (RFC 1952), member after member, so much as is asked for."""

    def __init__(self) -> None:
        self._member = zlib.decompressobj(wbits=31)

    @property
    def whole(self) -> bool:
        """Whether what came so far ends where a member ends."""
        return self._member.eof

    def __call__(self, piece: bytes, most: int) -> bytes:
        """Unpack a piece; what is beyond `most` bytes is left, for the caller gives up then. zlib.error if broken."""
        out = bytearray()
        while piece and len(out) < most:
            if self._member.eof:
                self._member = zlib.decompressobj(wbits=31)
            out += self._member.decompress(piece, most - len(out))
            piece = self._member.unused_data if self._member.eof else b""
        return bytes(out)


def _documents(value: bytes) -> Iterator[Any]:
    """The lines that are JSON; the others are for the pipeline to quarantine."""
    for line in value.split(b"\n"):
        try:
            yield orjson.loads(line)
        except orjson.JSONDecodeError:
            continue


def _points(documents: list[Any]) -> Iterator[str]:
    """Every point that is named."""
    for document in documents:
        for part in document if isinstance(document, list) else [document]:
            named = part.get("point") if isinstance(part, dict) else None
            for point in named if isinstance(named, list) else [named]:
                if isinstance(point, str):
                    yield point


def _answer(code: int, **content: Any) -> web.Response:  # noqa: ANN401
    return web.json_response(content, status=code)
