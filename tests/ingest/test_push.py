"""HTTP push: tokens, sites, sizes, broken bodies; 202 only for what is safe. On a real server and a real spool."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import logging
import os
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from streams.domain.findings import IngestError
from streams.ingest.push import Tokens, push_app, push_runner, token_line
from streams.ingest.records import Record
from streams.ingest.spool import Spool
from streams.ingest.tally import Tally

NOW = 1_767_573_000_000
LINE = b'{"point": "wugu/main", "time": 1767573000, "value": 1.5}'
BEARER = {"Authorization": "Bearer open sesame"}


class Door:
    """A spool behind the application, and one way to knock."""

    def __init__(self, folder: Path) -> None:
        self.tokens = folder / "tokens"
        everyone = token_line("central", "all sites", "*")
        self.tokens.write_text(f"# gateways\n\n{token_line('gw7', 'open sesame', 'wugu,other')}\n{everyone}\n")
        self.spool, self.tally = Spool(folder / "spool.db", 20_000), Tally()
        self.app = lambda: push_app(self.spool.append, Tokens(self.tokens), lambda: NOW, self.tally, most_bytes=10_000)

    def serve(self, work: Callable[[aiohttp.ClientSession, str], Awaitable[Any]]) -> Any:
        async def run() -> Any:
            runner = push_runner(self.app())
            await runner.setup()
            try:
                await web.TCPSite(runner, "127.0.0.1", 0).start()
                port = runner.addresses[0][1]
                async with aiohttp.ClientSession() as session:
                    return await work(session, f"http://127.0.0.1:{port}")
            finally:
                await runner.cleanup()

        return asyncio.run(run())

    def post(
        self, body: bytes, headers: dict[str, str] | None = None, path: str = "/telemetry/wugu"
    ) -> tuple[int, Any]:
        async def work(session: aiohttp.ClientSession, url: str) -> tuple[int, Any]:
            async with session.post(url + path, data=body, headers=headers or BEARER) as answer:
                self.headers = answer.headers
                return answer.status, await answer.json()

        result: tuple[int, Any] = self.serve(work)
        return result


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    made = Door(tmp_path)
    yield made
    made.spool.close()


def test_what_is_accepted_is_in_the_spool(door: Door) -> None:
    assert door.post(LINE + b"\n" + LINE + b"\n") == (202, {"accepted": 2 * len(LINE) + 2})
    assert door.spool.read(0, 10) == [Record(1, "wugu", "http:gw7", LINE + b"\n" + LINE, NOW)]
    assert (door.tally.read("messages_in"), door.tally.total("refused")) == ({"http": 1}, 0)


def test_gzip_is_taken_and_a_pretty_document_becomes_a_line(door: Door) -> None:
    body = b'[\n  {"point": "wugu/main", "time": 1767573000, "value": 1.5}\n]\n'
    headers = BEARER | {"Content-Encoding": "gzip"}
    assert door.post(gzip.compress(body), headers) == (202, {"accepted": len(body)})
    assert door.spool.read(0, 1)[0].value == b'[{"point":"wugu/main","time":1767573000,"value":1.5}]'


@pytest.mark.parametrize(
    "headers", [{"X": "y"}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic open sesame"}]
)
def test_without_a_valid_token_nothing_is_taken(door: Door, headers: dict[str, str]) -> None:
    status, answer = door.post(LINE, headers)
    assert (status, list(answer)) == (401, ["error"])
    assert door.spool.last == 0


def test_a_token_opens_its_own_sites_alone(door: Door) -> None:
    assert door.post(LINE, path="/telemetry/foreign")[0] == 403
    assert door.post(LINE, path="/telemetry/other") == (
        403,
        {"error": "expected points of site 'other'; found 'wugu/main'"},
    )
    columns = b'{"point": ["wugu/a", "hall/b"], "time": [1, 2], "value": [1, 2]}'
    assert door.post(LINE + b"\n" + columns)[0] == 403
    assert door.spool.last == 0
    assert door.post(LINE, {"Authorization": "Bearer all sites"}, path="/telemetry/foreign")[0] == 202


def test_a_body_that_is_no_json_at_all_is_refused_and_one_with_a_bad_line_is_for_the_quarantine(door: Door) -> None:
    for body in (b"", b"hello\nworld", b"\xff\xfe"):
        status, answer = door.post(body)
        assert (status, "expected JSON" in answer["error"]) == (400, True)
    assert door.post(LINE + b"\noops")[0] == 202
    assert door.spool.read(0, 10)[0].value == LINE + b"\noops"


def test_the_limit_counts_what_comes_out_of_the_gzip(door: Door) -> None:
    headers = BEARER | {"Content-Encoding": "gzip"}
    bomb = gzip.compress(b"[" + b" " * 50_000_000 + b"]")
    assert len(bomb) < 60_000
    assert door.post(bomb, headers) == (413, {"error": "expected at most 10,000 bytes, uncompressed"})
    assert door.post(b" " * 10_001)[0] == 413
    assert door.post(LINE + b" " * (10_000 - len(LINE)))[0] == 202


def test_a_broken_gzip_is_a_clear_error_and_another_encoding_too(door: Door) -> None:
    assert door.post(b"no gzip at all", BEARER | {"Content-Encoding": "gzip"})[0] == 400
    assert door.post(LINE, BEARER | {"Content-Encoding": "deflate"})[0] == 415
    assert door.spool.last == 0


def test_a_gzip_of_several_members_is_taken_whole(door: Door) -> None:
    body = gzip.compress(LINE + b"\n") + gzip.compress(LINE)
    assert door.post(body, BEARER | {"Content-Encoding": "gzip"}) == (202, {"accepted": 2 * len(LINE) + 1})


def test_a_gzip_that_ends_too_early_is_not_taken(door: Door) -> None:
    body = gzip.compress(b"\n".join([LINE] * 20) + os.urandom(100).hex().encode())
    assert door.post(body[:-20], BEARER | {"Content-Encoding": "gzip"})[0] == 400
    assert door.spool.last == 0


def test_a_full_spool_asks_to_come_again(door: Door) -> None:
    big = LINE + b" " * 9_000 + b"\n" + LINE
    assert [door.post(big)[0] for _ in range(3)] == [202, 202, 503]
    assert door.headers["Retry-After"] == "10"
    door.spool.drop(1)
    assert door.post(big)[0] == 202


def test_health_and_unknown_paths_answer_json(door: Door) -> None:
    async def work(session: aiohttp.ClientSession, url: str) -> list[Any]:
        found = []
        for path in ("/healthz", "/nothing", "/telemetry/wugu"):
            async with session.get(url + path) as answer:
                found.append((answer.status, await answer.json()))
        return found

    assert door.serve(work) == [
        (200, {"status": "ok"}),
        (404, {"error": "Not Found"}),
        (405, {"error": "Method Not Allowed"}),
    ]


def test_tokens_are_read_again_when_the_file_changes_and_a_bad_file_changes_nothing(
    door: Door, caplog: pytest.LogCaptureFixture
) -> None:
    tokens = Tokens(door.tokens)
    assert tokens.gateway("new") is None
    door.tokens.write_text(token_line("gw9", "new", "wugu"))
    found = tokens.gateway("new")
    assert (found and found.name, tokens.gateway("open sesame")) == ("gw9", None)
    door.tokens.write_text("gw9 new wugu extra words")
    with caplog.at_level(logging.ERROR):
        assert tokens.gateway("new") is not None
    assert "tokens_unreadable" in caplog.text


def test_no_token_comes_into_a_log(door: Door, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        door.post(LINE)
        door.post(b"", {"Authorization": "Bearer very wrong"})
        door.post(gzip.compress(LINE)[:-3], BEARER | {"Content-Encoding": "gzip"})
    for secret in ("open sesame", "very wrong", hashlib.sha256(b"open sesame").hexdigest()):
        assert secret not in caplog.text


HASH = "0" * 64


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("gw1", r"tokens:1: expected `gateway sha256.*found 1 words"),
        (f"\ngw1 {HASH[1:]} wugu", "tokens:2: expected `gateway"),
        (f"gw1 {HASH} a\ngw2 {HASH} b", "tokens:2: expected each token once; found it in line 1"),
        ("# none\n", "expected at least one token"),
    ],
)
def test_a_wrong_file_of_tokens_is_told_with_its_line_and_without_its_words(
    tmp_path: Path, text: str, said: str
) -> None:
    (tmp_path / "tokens").write_text(text)
    with pytest.raises(IngestError, match=said) as caught:
        Tokens(tmp_path / "tokens")
    assert HASH[1:] not in str(caught.value)


def test_a_missing_file_of_tokens_and_a_wrong_name_are_told(tmp_path: Path) -> None:
    with pytest.raises(IngestError, match="tokens: expected a file of tokens; found: No such file"):
        Tokens(tmp_path / "tokens")
    with pytest.raises(IngestError, match="found 'my site'"):
        token_line("gw", "t", "a,my site")
