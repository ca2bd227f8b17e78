"""A Grafana that dashboards are pushed to, by the `grafana-client` of the extra `grafana`.

What was pushed last is told by the message of the newest version, `kilowatch sha256:…`: with another message a person
has saved it since. A save names the version that it follows, so that Grafana refuses it (412) where a person has saved
between our look and our save. No Grafana was at hand to try this on: its documented HTTP API is imitated in the tests.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from grafana_client import GrafanaApi
from grafana_client.client import GrafanaClientError, GrafanaException
from niquests.exceptions import RequestException

from dashboards.checks.found import Checked
from dashboards.place import FOLDER_UIDS, FOLDERS
from dashboards.words import Language
from streams.domain.findings import KilowatchError

MESSAGE: Final = re.compile(r"kilowatch sha256:([0-9a-f]{64})")
TIMEOUT_S: Final = 15.0
NOT_FOUND: Final = 404
FORBIDDEN: Final = 403
CONFLICT: Final = 412
SOURCE: Final = "kilowatch"


class GrafanaError(KilowatchError):
    """Grafana cannot be reached, or refuses."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a dashboard."""

    uid: str
    said: str
    is_kept: bool = False


class Grafana:
    """A Grafana, logged in as a service account."""

    def __init__(self, url: str, token: str, ca: Path | None = None) -> None:
        """Remember where it is; nothing is asked yet."""
        if not re.match(r"https?://[^/]", url):
            raise GrafanaError(f"Grafana: expected http://… or https://…; found {url!r}; mend --url")
        self.url = url.rstrip("/")
        self.api = GrafanaApi.from_url(
            f"{self.url}/" if re.search(r"://[^/]+/", self.url) else self.url, token, TIMEOUT_S
        )
        if ca is not None:
            self.api.client.verify = str(ca)

    def push(self, boards: Sequence[Checked], *, overwrite: bool) -> Iterator[Outcome]:
        """Push dashboards one after the other; GrafanaError where nothing can be pushed."""
        yield from self._source()
        folders: set[Language] = set()
        for board in boards:
            yield self._push(board, folders, overwrite=overwrite)

    def _source(self) -> Iterator[Outcome]:
        """Say where the data source is missing; who may not look cannot know."""
        try:
            self._ask(lambda: self.api.datasource.get_datasource_by_uid(SOURCE))
        except GrafanaClientError as error:
            if error.status_code == NOT_FOUND:
                yield Outcome(
                    SOURCE, "no such data source: provision deploy/grafana/provisioning/datasources", is_kept=True
                )
            elif error.status_code == FORBIDDEN:
                yield Outcome(SOURCE, "this account may not see whether the data source is there")
            else:
                raise self._refused(error) from error

    def _push(self, board: Checked, folders: set[Language], *, overwrite: bool) -> Outcome:
        digest = hashlib.sha256(json.dumps(board.whole, sort_keys=True).encode()).hexdigest()
        try:
            there = self._found(lambda: self.api.dashboard.get_dashboard(board.uid))
            if there is None:
                language = Language(board.uid.rpartition("-")[2])
                self._folder(language, folders)
                self._save(board, digest, None, 0, FOLDER_UIDS[language])
                return Outcome(board.uid, "created")
            if there["meta"].get("provisioned"):
                return Outcome(board.uid, "left alone: Grafana has it from files", is_kept=True)
            last = self._last(board.uid)
            ours = MESSAGE.fullmatch(str(last.get("message", "")))
            if ours and ours[1] == digest:
                return Outcome(board.uid, "unchanged")
            if not ours and not overwrite:
                who = f"{last.get('createdBy', 'somebody')} on {str(last.get('created', '?'))[:16]}"
                return Outcome(board.uid, f"kept: changed by {who}; --overwrite replaces it", is_kept=True)
            now = there["dashboard"]
            self._save(
                board, digest, now.get("id"), int(now.get("version", 0)), str(there["meta"].get("folderUid") or "")
            )
            return Outcome(board.uid, "updated" if ours else "replaced what a person had changed")
        except GrafanaClientError as error:
            if error.status_code == CONFLICT:
                return Outcome(board.uid, "kept: somebody saved it at this moment; push again", is_kept=True)
            raise self._refused(error) from error

    def _last(self, uid: str) -> dict[str, Any]:
        """The newest version; newer Grafanas wrap the list."""
        found = self._ask(lambda: self.api.dashboard_versions.get_dashboard_versions(dashboard_uid=uid))
        versions = found.get("versions", []) if isinstance(found, dict) else found
        return dict(max(versions, key=lambda each: int(each["version"]), default={}))

    def _folder(self, language: Language, known: set[Language]) -> None:
        if language not in known:
            uid = FOLDER_UIDS[language]
            if self._found(lambda: self.api.folder.get_folder(uid)) is None:
                self._ask(lambda: self.api.folder.create_folder(FOLDERS[language], uid))
            known.add(language)

    def _save(self, board: Checked, digest: str, number: int | None, version: int, folder: str) -> None:
        whole = {**board.whole, "id": number, "version": version}
        saved = {"dashboard": whole, "folderUid": folder, "message": f"kilowatch sha256:{digest}", "overwrite": False}
        self._ask(lambda: self.api.dashboard.update_dashboard(saved))

    def _found(self, ask: Callable[[], Any]) -> Any:  # noqa: ANN401 - JSON
        """What is asked for, None where there is no such thing."""
        try:
            return self._ask(ask)
        except GrafanaClientError as error:
            if error.status_code == NOT_FOUND:
                return None
            raise

    def _ask(self, ask: Callable[[], Any]) -> Any:  # noqa: ANN401 - JSON
        """Ask Grafana; GrafanaError where nothing answers, or no Grafana does."""
        try:
            return ask()
        except GrafanaClientError:
            raise
        except (RequestException, GrafanaException) as error:
            said = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise GrafanaError(f"Grafana {self.url}: expected its HTTP API; found: {said[:200]}; mend --url") from error

    def _refused(self, error: GrafanaClientError) -> GrafanaError:
        mend = {401: "give a token that is valid", FORBIDDEN: "give the service account the role Editor"}
        hint = mend.get(error.status_code, "see Grafana's log")
        return GrafanaError(f"Grafana {self.url}: refused ({error.status_code}): {error.message}; {hint}")
