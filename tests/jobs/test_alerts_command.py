"""`kilowatch alerts` as people use it: on a file at rest, on one that `kilowatch run` holds, and on a database."""

from __future__ import annotations

import json
import re
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from streams.domain.alerts import NoticeKind
from streams.domain.findings import StoreError
from streams.ingest.push import token_line
from streams.runners.control import RemoteDesk, control_file
from streams.stores.duckdb import DuckDBStore
from streams.stores.postgres import PostgresStore
from streams.stores.schema import migrate
from tests.jobs.bridge_process import until
from tests.jobs.commands import SECRET, SITE, Command, Ended, begun, faults
from tests.runners.deliveries import SECRETS, episode, notices, put
from tests.servers.databases import ROLE_PASSWORDS, as_role
from tests.servers.ports import LOOPBACK, free_port
from tests.servers.receiver import Answer, Receiver

ENV = {"HOOK": SECRETS[0], "LINE": f"json://127.0.0.1/{SECRET}", "TOKEN": SECRET, "COLUMNS": "400"}


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as made:
        yield made


def channels(folder: Path, receiver: Receiver, *more: str) -> Path:
    file = folder / "channels.yaml"
    rows = [
        f"{{name: ops, kind: webhook, url: '{receiver.url}/ops', secret: {{env: HOOK}}, allow_private: true}}",
        *more,
    ]
    file.write_text("channels:\n" + "".join(f"  - {row}\n" for row in rows) + "routes:\n  - {channels: [ops]}\n")
    return file


def done(folder: Path, *words: object, code: int = 0) -> Ended:
    """How a command ended."""
    with begun(folder / f"of{time.monotonic_ns()}", {"alerts": ["alerts", *words]}, ENV) as commands:
        end = commands["alerts"].ended()
    assert end.code == code, (words, end)
    return end


def store_with(path: Path) -> str:
    """A file with an episode that lasts, and one that is over."""
    with closing(DuckDBStore(path)) as store:
        put(store, notices(episode()), datetime.now(UTC))
        put(store, notices(episode("e2", closed_ms=episode().opened_ms + 1), [NoticeKind.OPENED]), datetime.now(UTC))
    return f"duckdb:///{path}"


def everything(folder: Path, url: str) -> None:
    """Every command that people have, against a store with two episodes."""
    assert ["e1" in done(folder, "list", "--store", url).out, "e2" in done(folder, "list", "--store", url).out] == [
        1,
        0,
    ]
    assert "e2" in done(folder, "list", "--all", "--store", url).out
    done(folder, "ack", "e1", "--store", url, "--by", "chen", "--note", "on my way")
    assert "chen" in done(folder, "list", "--store", url).out
    wrong = done(folder, "ack", "e9", "--store", url, code=2)
    assert wrong.said == [
        "error: alerts: expected an episode of this store; found none with id 'e9' (see alerts list --all)"
    ]
    made = done(folder, "silence", "--site", "depot", "--rule", "too_warm", "--for", "2h", "--store", url).out
    silence = next(word for word in made.split() if len(word) == 12 and word.isalnum())
    assert silence in done(folder, "silences", "--store", url).out
    done(folder, "unsilence", silence, "--store", url)
    assert "(0 rows)" in done(folder, "silences", "--store", url).out
    assert "e9" in done(folder, "unsilence", "e9", "--store", url, code=2).said[0]
    unknown = done(folder, "silence", "--site", "depo", "--for", "2h", "--store", url, code=2)
    assert unknown.said[0].endswith("expected a site of this store; found 'depo' (did you mean 'depot'?)")
    later = (datetime.now(UTC) + timedelta(days=1)).isoformat(timespec="seconds")
    until_ = (datetime.now(UTC) + timedelta(days=2)).isoformat(timespec="seconds")
    done(folder, "silence", "--site", "depot", "--from", later, "--until", until_, "--store", url)
    wrong_silences = {
        ("--until", "2020-01-01T00:00+08:00"): "expected a silence that ends after it begins (",
        ("--from", until_, "--until", later): "expected a silence that ends after it begins (",
        ("--from", "2020-01-01T00:00Z", "--until", "2020-01-02T00:00Z"): "that ends after now; found 2020-01-02T00:00",
        ("--until", "2099-01-01T00:00"): "expected a time with its offset such as 2026-01-31T10:15+08:00; found '2099",
        ("--from", "tomorrow", "--for", "2h"): "expected a time with its offset such as 2026-01-31T10:15+08:00; found",
        ("--until", "9999-12-31T23:59-12:00"): "expected a time with its offset",
        ("--for", "0s"): "--for: expected a duration such as 30s, 5min, 1h or 2d; got '0s'",
        ("--for", "99999999999d"): "--for: expected a silence that ends before the year 10000",
        ("--for", "2h", "--rule", "too_wram"): "expected a rule of depot; found 'too_wram' (did you mean 'too_warm'?)",
        ("--for", "2h", "--subject", "rom"): "expected a subject of depot; found 'rom'",
        ("--for", "2h", "--until", later): "expected --for or --until, one of the two",
    }
    for words, said in wrong_silences.items():
        told = done(folder, "silence", "--site", "depot", *words, "--store", url, code=2).said
        assert len(told) == 1 and said in told[0], told
    done(folder, "silence", "--site", "depot", "--subject", "room", "--for", "1min", "--store", url)
    assert "depot/room" in done(folder, "silences", "--store", url).out
    assert "(0 rows)" in done(folder, "deliveries", "--dead", "--store", url).out
    wrong_letters = {
        ("resend",): "expected messages, --channel or --episode, or --all instead of them",
        ("resend", "--all", "--channel", "ops"): "expected messages, --channel or --episode, or --all instead of them",
        ("resend", "e1.0"): "expected a dead letter; found none with id 'e1.0' (see alerts deliveries --dead)",
        ("discard", "--channel", "oops"): "expected dead letters of channel 'oops'; found none",
        ("ack", "e"): "expected one episode; found several whose ids begin with 'e' (see alerts list --all)",
        ("ack", ""): "expected an episode of this store; found none with id ''",
        ("deliveries", "--episode", "x"): "expected an episode of this store; found none with id 'x'",
    }
    for words, said in wrong_letters.items():
        told = done(folder, *words, "--store", url, code=2).said
        assert len(told) == 1 and said in told[0], told


def test_people_work_with_a_file_at_rest(tmp_path: Path) -> None:
    everything(tmp_path, store_with(tmp_path / "a.duckdb"))


def box(folder: Path, file: Path | None, store: str) -> list[object]:
    (folder / "tokens").write_text(token_line("gw1", "x", "*") + "\n")
    ways = ["--channels", file] if file else []
    return [
        *("run", "--sites", SITE, "--store", store, "--spool", folder / "spool", "--tokens", folder / "tokens"),
        *("--http", f"{LOOPBACK}:{free_port()}", "--metrics", f"{LOOPBACK}:{free_port()}", *ways),
    ]


def test_people_work_with_a_file_that_a_running_box_holds_and_the_box_sends(receiver: Receiver, tmp_path: Path) -> None:
    path = tmp_path / "a.duckdb"
    url = store_with(path)
    with begun(tmp_path / "box", {"run": box(tmp_path, channels(tmp_path, receiver), url)}, ENV) as commands:
        commands["run"].has("started")
        until(lambda: sorted(receiver.ids()) == ["e1.0", "e2.0"], "both messages")
        everything(tmp_path, url)
        assert "e1.0" in done(tmp_path, "deliveries", "--episode", "e1", "--store", url).out
        door = control_file(path)
        assert door.stat().st_mode & 0o777 == 0o600
        known = json.loads(door.read_text())
        for token in ("", "Bearer ", "Bearer x", f"Bearer {known['token']}x", f"bearer {known['token']}"):
            assert refused(known["port"], token) == 401
        assert refused(known["port"], f"Bearer {known['token']}", "/transaction") == 409
        assert known["token"] not in commands["run"].everything()
        assert SECRETS[0] not in commands["run"].everything()
        begun_at = time.monotonic()
        assert commands["run"].stop() == 0, commands["run"].everything()
        assert time.monotonic() - begun_at < 10
        assert not door.exists()


def looks(folder: Path, store: str, code: int, **more: str) -> str:
    """What the doctor says of a store."""
    with begun(folder / f"of{time.monotonic_ns()}", {"doctor": ["doctor", "--store", store]}, ENV | more) as commands:
        end = commands["doctor"].ended()
    assert (end.code, end.said) == (code, []), end
    return end.out


def test_the_dead_letters_of_a_running_box_are_seen_and_sent_again_under_their_ids(tmp_path: Path) -> None:
    path = tmp_path / "a.duckdb"
    url = store_with(path)
    with Receiver(lambda *_: Answer(404)) as receiver:
        words = box(tmp_path, channels(tmp_path, receiver), url)
        page = str(words[words.index("--metrics") + 1])
        with begun(tmp_path / "box", {"run": words}, ENV) as commands:
            commands["run"].has("started")
            until(lambda: len(receiver.got) == 2, "both messages")
            until(lambda: 'kilowatch_alerts_dead_letters{channel="ops"} 2.0' in read(page), "the metric")
            dead = done(tmp_path, "deliveries", "--dead", "--store", url).out
            assert "e1.0" in dead and "e2.0" in dead and "(2 rows)" in dead
            found = looks(tmp_path, url, 1)
            assert "`kilowatch run` holds it" in found
            assert re.search(r"dead letters of ops +2, the newest of \S+: HTTP 404 Not Found", found)
            assert "kilowatch alerts resend --channel ops" in found
            receiver.answering = lambda *_: Answer()
            assert "resent" in done(tmp_path, "resend", "e1.0", "--by", "lin", "--store", url).out
            until(lambda: receiver.ids() == ["e1.0"], "the message again")
            assert "discarded" in done(tmp_path, "discard", "--all", "--note", "too old", "--store", url).out
            until(lambda: 'kilowatch_alerts_dead_letters{channel="ops"} 0.0' in read(page), "the metric")
            assert "no dead letters" in looks(tmp_path, url, 0)
            assert commands["run"].stop() == 0, commands["run"].everything()
        assert [got.id for got in receiver.got].count("e1.0") == 2
    assert "(0 rows)" in done(tmp_path, "deliveries", "--dead", "--store", url).out
    assert "no dead letters" in looks(tmp_path, url, 0)
    said = done(tmp_path, "deliveries", "--store", url).out
    assert "resent by lin" in said and ": too old" in said


def test_messages_that_nobody_sends_are_told_by_the_doctor(tmp_path: Path) -> None:
    path = tmp_path / "a.duckdb"
    with closing(DuckDBStore(path)) as store:
        put(store, notices(episode()), datetime.now(UTC) - timedelta(minutes=11))
    found = looks(tmp_path, f"duckdb:///{path}", 1)
    assert re.search(r"messages about alerts +1 that no sender has looked at, the first of \S+", found)
    assert "is a sender running?" in found


def test_what_is_odd_about_channels_is_told_and_stops_nobody(receiver: Receiver, tmp_path: Path) -> None:
    more = f"{{name: boss, kind: webhook, url: '{receiver.url}/boss', secret: {{env: HOOK}}, allow_private: true}}"
    file = channels(tmp_path, receiver, more)
    end = done(tmp_path, "check", "--channels", file)
    assert end.said == [
        f"warning: {file}:3: channels[boss]: no route leads to it: expected a route with this channel; found none",
        f"{file}: 0 errors, 1 warnings",
    ]
    site = tmp_path / "sites" / SITE.name
    site.parent.mkdir()
    rule = "\nrules:\n  - {name: no-data, kind: silence, points: '*'}\n"
    site.write_text(SITE.read_text().partition("\nrules:")[0] + rule)
    file.write_text(file.read_text().replace("{channels: [ops]}", "{channels: [ops], rules: [no_data]}"))
    said = done(tmp_path, "check", "--channels", file, "--sites", site.parent).said
    a_rule, nobody = "expected a rule of these sites", "nobody is told when it opens: expected a route that takes it"
    assert said[1:] == [
        f"warning: {file}:5: routes[0].rules: nothing fits: {a_rule}; found no_data (did you mean 'no-data'?)",
        f"warning: {file}: rule no-data of worm_gear_shop: {nobody}; found none",
        f"{file}: 0 errors, 3 warnings",
    ]
    words = box(tmp_path, file, f"duckdb:///{tmp_path}/b.duckdb")
    words[words.index(SITE)] = site.parent
    with begun(tmp_path / "box", {"run": words}, ENV) as commands:
        commands["run"].has("started")
        assert [each["finding"] for each in commands["run"].events("channels odd")] == [
            line.removeprefix("warning: ") for line in said[:-1]
        ]
        assert commands["run"].stop() == 0


def test_each_role_does_its_part_and_no_other(database: str, receiver: Receiver, tmp_path: Path) -> None:
    """The sender sends, people on duty act, the reader looks: each with a role of its own."""
    with closing(PostgresStore(database)) as store:
        migrate(store, ROLE_PASSWORDS)
        urls = {role: as_role(database, f"kilowatch_{role}", secret) for role, secret in ROLE_PASSWORDS.items()}
        page = f"{LOOPBACK}:{free_port()}"
        file = channels(tmp_path, receiver)
        words = ["alerts", "deliver", "--store", urls["sender"], "--channels", file, "--metrics", page]
        with begun(tmp_path / "sender", {"deliver": words}, ENV) as commands:
            sender: Command = commands["deliver"]
            sender.has("started")
            now = datetime.now(UTC)
            put(store, [*notices(episode()), *notices(episode("e2", closed_ms=episode().opened_ms + 1))], now)
            until(lambda: sorted(receiver.ids()) == ["e1.0", "e2.0"], "both messages")
            everything(tmp_path, urls["operator"])
            receiver.answering = lambda *_: Answer(410)
            put(store, notices(episode("f3", site="elsewhere")), now)
            until(lambda: "f3.0" in done(tmp_path, "deliveries", "--dead", "--store", urls["operator"]).out, "it")
            until(lambda: 'kilowatch_alerts_dead_letters{channel="ops"} 1.0' in read(page), "the metric")
            assert "dead letters of ops" in looks(tmp_path, urls["reader"], 1)
            assert sender.stop() == 0, sender.everything()
            assert not sender.events("alerts not delivered"), sender.everything()
        receiver.answering = lambda *_: Answer()
        file.write_text(file.read_text().replace("/ops'", "/anew'"))
        done(tmp_path, "resend", "--channel", "ops", "--store", urls["operator"])
        with begun(tmp_path / "again", {"deliver": words}, ENV) as commands:
            until(lambda: receiver.ids("/anew") == ["f3.0"], "the dead letter")
            assert commands["deliver"].stop() == 0
        assert "no dead letters" in looks(tmp_path, urls["reader"], 0)
    mend = {role: f"connect as kilowatch_{role}, or as the database's owner" for role in ("sender", "operator")}
    deliver = ["alerts", "deliver", "--channels", file, "--metrics", page, "--store"]
    acknowledge = ["alerts", "ack", "e1", "--store"]
    cases: dict[str, tuple[list[object], str]] = {
        "sender as the reader": ([*deliver, urls["reader"]], f"may only read; {mend['sender']}"),
        "sender as the operator": ([*deliver, urls["operator"]], f"may not insert op.alert_dispatch; {mend['sender']}"),
        "ack as the reader": ([*acknowledge, urls["reader"]], f"may only read; {mend['operator']}"),
        "ack as the sender": (
            [*acknowledge, urls["sender"]],
            f"may not insert fact.alert_acknowledgement; {mend['operator']}",
        ),
        "a look as the sender": (["alerts", "list", "--store", urls["sender"]], "permission denied for schema mart"),
    }
    assert faults(tmp_path / "faults", cases, ENV) == {}


def refused(port: int, token: str, path: str = "/episodes") -> int:
    request = urllib.request.Request(f"http://{LOOPBACK}:{port}{path}", b"{}", {"Authorization": token})
    with pytest.raises(urllib.error.HTTPError) as told:
        urllib.request.urlopen(request, timeout=5)
    told.value.close()
    return int(told.value.code)


def test_a_file_that_another_program_holds_is_said_so(tmp_path: Path) -> None:
    path = tmp_path / "a.duckdb"
    with closing(DuckDBStore(path)):
        said = done(tmp_path, "list", "--store", f"duckdb:///{path}", code=2).said
        assert said[0].endswith("another process holds it, and it is no `kilowatch run`; stop it first")
        control_file(path).write_text('{"port": 9, "token": "x"}')
        with pytest.raises(StoreError, match="does not answer on"):
            RemoteDesk(path).ask("episodes", {})


def test_the_sender_of_a_database_starts_sends_within_a_second_and_ends_on_sigterm(
    database: str, receiver: Receiver, tmp_path: Path
) -> None:
    with closing(PostgresStore(database)) as store:
        migrate(store, {})
        page = f"{LOOPBACK}:{free_port()}"
        words = [
            "alerts",
            "deliver",
            "--store",
            database,
            "--channels",
            channels(tmp_path, receiver),
            "--metrics",
            page,
        ]
        with begun(tmp_path / "sender", {"deliver": words}, ENV) as commands:
            sender: Command = commands["deliver"]
            sender.has("started")
            time.sleep(0.5)
            delays = []
            for nth in range(5):
                put(store, notices(episode(f"e{nth}")), datetime.now(UTC))
                begun_at = time.monotonic()
                until(lambda nth=nth: f"e{nth}.0" in receiver.ids(), "the message")  # type: ignore[misc]
                delays.append(time.monotonic() - begun_at)
            assert sorted(delays)[2] < 2
            until(lambda: 'kilowatch_alerts_sent_total{channel="ops"} 5.0' in read(page), "the metric")
            assert all(name in read(page) for name in ("waiting", "delivery_seconds_bucket", "planned_total"))
            for nth in range(5):
                receiver.answering = lambda *_: Answer(delay_s=60)
                put(store, notices(episode(f"slow{nth}")), datetime.now(UTC))
            until(lambda: receiver.under_way > 0, "a message under way")
            begun_at = time.monotonic()
            assert sender.stop() == 0, sender.everything()
            assert time.monotonic() - begun_at < 10
            assert SECRETS[0] not in sender.everything()


def read(page: str) -> str:
    with urllib.request.urlopen(f"http://{page}/metrics", timeout=5) as answer:
        return str(answer.read().decode())


def test_a_message_to_try_a_channel(receiver: Receiver, tmp_path: Path) -> None:
    file = channels(tmp_path, receiver)
    assert "ops: sent: HTTP 204" in done(tmp_path, "send-test", "ops", "--channels", file).said[0]
    assert receiver.got[0].json["type"] == "kilowatch.alert.test"
    receiver.answering = lambda *_: Answer(500)
    assert "ops: failed: HTTP 500" in done(tmp_path, "send-test", "ops", "--channels", file, code=1).said[0]
    assert "did you mean 'ops'?" in done(tmp_path, "send-test", "op", "--channels", file, code=2).said[0]
    assert done(tmp_path, "check", "--channels", file).said == [f"{file}: 0 errors, 0 warnings"]


def test_what_cannot_be_started_says_so_in_one_line(database: str, receiver: Receiver, tmp_path: Path) -> None:
    with closing(PostgresStore(database)) as store:
        migrate(store, ROLE_PASSWORDS)
    good = channels(tmp_path, receiver)

    def file(name: str, row: str, route: str = "ops") -> Path:
        path = tmp_path / name
        path.write_text(f"channels:\n  - {row}\nroutes:\n  - {{channels: [{route}]}}\n")
        return path

    hook = "{name: ops, kind: webhook, url: 'https://8.8.8.8/', secret: {env: HOOK}}"
    bad = {
        "missing secret": (
            file("a.yaml", hook.replace("HOOK", "NOPE")),
            "missing secret: expected a secret in variable",
        ),
        "refused": (file("b.yaml", hook.replace("8.8.8.8", "192.168.0.9")), "found 192.168.0.9 (private)"),
        "unknown": (file("c.yaml", hook, "opps"), "(did you mean 'ops'?)"),
        "bad secret": (
            file("d.yaml", hook.replace("HOOK", "TOKEN")),
            "no secret of Standard Webhooks in variable TOKEN",
        ),
        "private mail": (file("e.yaml", "{name: ops, kind: apprise, url: {env: LINE}}"), "127.0.0.1 (loopback)"),
        "no file": (tmp_path / "none.yaml", "expected a readable file; found No such file"),
    }
    deliver = ["alerts", "deliver", "--metrics", f"{LOOPBACK}:{free_port()}"]
    cases: dict[str, tuple[list[object], str]] = {
        **{name: ([*deliver, "--store", database, "--channels", path], word) for name, (path, word) in bad.items()},
        "a file's": (
            [*deliver, "--store", "duckdb:///a.duckdb", "--channels", good],
            "`kilowatch run --channels` sends",
        ),
        "away": (
            [*deliver, "--store", f"postgresql://a@{LOOPBACK}:{free_port()}/a", "--channels", good],
            "no answer; start the server",
        ),
        "a box": (box(tmp_path, bad["refused"][0], f"duckdb:///{tmp_path}/b.duckdb"), "found 192.168.0.9 (private)"),
        "a test": (["alerts", "send-test", "ops", "--channels", bad["missing secret"][0]], "missing secret"),
        "no store": (["alerts", "list", "--store", "duckdb:///none.duckdb"], "expected a file; found none"),
        "no span": (["alerts", "silence", "--site", "a", "--store", "duckdb:///x"], "expected --for or --until"),
    }
    assert faults(tmp_path / "faults", cases, ENV) == {}


def test_help_comes_without_an_error_for_a_group(tmp_path: Path) -> None:
    with begun(tmp_path / "help", {"help": ["alerts", "--help"], "bare": ["alerts"]}, ENV) as commands:
        ends = {name: each.ended() for name, each in commands.items()}
    assert ends["help"].code == 0
    assert "deliveries" in ends["bare"].out + "".join(ends["bare"].said)
    assert not [line for line in ends["bare"].said if line.startswith("error:")]
