"""An imitation of Grafana's HTTP API, as far as `kilowatch dashboards push` asks it: no registry has the server.

It behaves as Grafana's documentation says of version 12: a save must name the version that it follows (412), what comes
from files cannot be saved (400), a token is asked for (401), and the newest versions come wrapped or as a list.
"""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

from tests.servers.ports import LOOPBACK

TOKEN = "glsa_of-a-service-account"
Json = dict[str, Any]


@dataclass
class Kept:
    """A dashboard with all of its versions, the newest last."""

    number: int
    folder: str
    versions: list[Json] = field(default_factory=list)
    is_provisioned: bool = False

    @property
    def now(self) -> Json:
        return dict(self.versions[-1])


class FakeGrafana:
    """Listens on a port of loopback, under a path if one is given."""

    def __init__(self, path: str = "", *, wrapped: bool = True) -> None:
        self.path, self.wrapped = path, wrapped
        self.boards: dict[str, Kept] = {}
        self.folders: dict[str, str] = {}
        self.sources = {"kilowatch": 200}
        self.asked: list[tuple[str, str]] = []
        self.saved_meanwhile: str | None = None
        self.role = "Editor"
        self.server = ThreadingHTTPServer((LOOPBACK, 0), _handler(self))
        self.url = f"http://{LOOPBACK}:{self.server.server_address[1]}{path}"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def __enter__(self) -> FakeGrafana:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.server.shutdown()
        self.server.server_close()

    def writes(self) -> list[tuple[str, str]]:
        """What was asked that changes something."""
        return [each for each in self.asked if each[0] != "GET"]

    def save(self, whole: Json, message: str, folder: str, by: str) -> Kept:
        """Keep a version of a dashboard."""
        kept = self.boards.setdefault(whole["uid"], Kept(len(self.boards) + 1, folder))
        kept.folder = folder
        version = len(kept.versions) + 1
        stored = {**whole, "id": kept.number, "version": version}
        said = {"version": version, "message": message, "createdBy": by, "created": "2026-11-26T08:00:00Z"}
        kept.versions.append({**said, "data": stored})
        return kept

    def answer(self, method: str, path: str, token: str, body: Json) -> tuple[int, Any]:
        """The answer to a request under /api."""
        self.asked.append((method, path))
        if token != f"Bearer {TOKEN}":
            return 401, {"message": "Invalid API key"}
        match method, path.strip("/").split("/"):
            case "GET", ["datasources", "uid", uid]:
                code = self.sources.get(uid, 404)
                return code, {"uid": uid, "message": "" if code == 200 else "Data source not found"}
            case "GET", ["folders", uid]:
                return (200, {"uid": uid}) if uid in self.folders else (404, {"message": "folder not found"})
            case "POST", ["folders"]:
                self.folders[body["uid"]] = body["title"]
                return 200, {"uid": body["uid"], "title": body["title"]}
            case "GET", ["dashboards", "uid", uid]:
                return self._read(uid)
            case "GET", ["dashboards", "uid", uid, "versions"]:
                every = reversed(self.boards[uid].versions)
                found = [{key: value for key, value in each.items() if key != "data"} for each in every]
                return 200, {"continueToken": "", "versions": found} if self.wrapped else found
            case "POST", ["dashboards", "db"]:
                return self._write(body)
        return 404, {"message": f"Not found: {method} {path}"}

    def _read(self, uid: str) -> tuple[int, Any]:
        if uid not in self.boards:
            return 404, {"message": "Dashboard not found"}
        kept = self.boards[uid]
        meta = {"folderUid": kept.folder, "provisioned": kept.is_provisioned, "version": len(kept.versions)}
        return 200, {"dashboard": kept.now["data"], "meta": meta}

    def _write(self, body: Json) -> tuple[int, Any]:
        whole, uid = body["dashboard"], body["dashboard"]["uid"]
        if self.role != "Editor":
            return 403, {"message": "You'll need additional permissions to perform this action"}
        if body["folderUid"] and body["folderUid"] not in self.folders:
            return 400, {"message": "folder not found"}
        if self.saved_meanwhile == uid:
            self.save(self.boards[uid].now["data"], "", self.boards[uid].folder, "anna")
        if uid in self.boards:
            kept = self.boards[uid]
            if kept.is_provisioned:
                return 400, {"message": "Cannot save provisioned dashboard"}
            if whole["version"] != len(kept.versions) or whole["id"] != kept.number:
                return 412, {"status": "version-mismatch", "message": "The dashboard has been changed by someone else"}
        kept = self.save(whole, body["message"], body["folderUid"], "sa-kilowatch")
        return 200, {"status": "success", "uid": uid, "id": kept.number, "version": len(kept.versions)}


def _handler(grafana: FakeGrafana) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def _take(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            if not self.path.startswith(f"{grafana.path}/api/"):
                code, found = 404, {"message": "no API here"}
            else:
                asked = self.path.removeprefix(f"{grafana.path}/api").partition("?")[0]
                given = json.loads(body) if body and self.command == "POST" else {}
                code, found = grafana.answer(self.command, asked, self.headers.get("Authorization", ""), given)
            text = json.dumps(found).encode()
            self.send_response(code)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        do_GET = do_POST = _take  # noqa: N815

        def log_message(self, *_: Any) -> None:
            pass

    return Handler
