"""The sender with a real receiver that fails, stalls, answers late, answers 410, drops, redirects, and comes back."""

from __future__ import annotations

import threading
import time
from contextlib import ExitStack, closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook

from streams.domain.alerts import NoticeKind, Severity
from streams.runners.delivery.outcome import DELAYS_S
from streams.stores.alert_desk import StoreDesk
from streams.stores.duckdb import DuckDBStore
from streams.stores.postgres import PostgresStore
from streams.stores.schema import migrate
from streams.stores.store import Store, naive
from tests.runners.deliveries import (
    SECRETS,
    Clock,
    Connect,
    Sending,
    all_done,
    channels,
    episode,
    notices,
    put,
    sending,
    states,
    statuses,
    until,
    webhooks,
)
from tests.servers.receiver import Answer, Receiver

OPENED, REMINDED, ESCALATED, CLOSED = NoticeKind


def test_an_episode_is_told_in_order_signed_and_receipted(
    connect: Connect, store: Store, receiver: Receiver, tmp_path: Path
) -> None:
    told = put(store, notices(episode(), list(NoticeKind)), datetime.now(UTC))
    with sending(connect(), webhooks(tmp_path, {"ops": f"{receiver.url}/ops"})) as at_work:
        until(lambda: all_done(store), lambda: statuses(store))
        until(lambda: at_work.metric("delivery_seconds_count", channel="ops") == 4)
        assert at_work.metric("sent_total", channel="ops") == 4
    assert receiver.ids() == told
    assert statuses(store) == [(each, "ops", 1, "sent") for each in told]
    for got in receiver.got:
        assert Webhook(SECRETS[0]).verify(got.body, got.headers)["data"]["message_id"] == got.id
    assert [got.json["type"] for got in receiver.got] == [f"kilowatch.alert.{kind.value}" for kind in NoticeKind]


def test_two_secrets_are_two_signatures(connect: Connect, store: Store, receiver: Receiver, tmp_path: Path) -> None:
    ways = channels(
        tmp_path,
        f"channels:\n  - {{name: ops, kind: webhook, url: '{receiver.url}', allow_private: true, "
        "secret: [{env: HOOK}, {env: OLD_HOOK}]}\nroutes:\n  - {channels: [ops]}\n",
    )
    put(store, notices(episode()), datetime.now(UTC))
    with sending(connect(), ways):
        until(lambda: len(receiver.got) == 1)
    for secret in SECRETS:
        Webhook(secret).verify(receiver.got[0].body, receiver.got[0].headers)


def test_a_receiver_that_comes_back_after_an_hour_gets_all_in_order_under_the_same_ids(
    connect: Connect, store: Store, tmp_path: Path
) -> None:
    with Receiver() as gone:
        port = gone.port
    clock = Clock()
    told = put(store, notices(episode(), [OPENED, REMINDED, CLOSED]), clock())
    other = put(store, notices(episode("e2")), clock())
    with sending(connect(), webhooks(tmp_path, {"ops": f"http://127.0.0.1:{port}/"}), clock) as at_work:
        for nth, delay_s in enumerate(DELAYS_S[:6], start=1):
            until(lambda nth=nth: at_work.metric("failed_total", channel="ops") == 2 * nth, lambda: statuses(store))  # type: ignore[misc]
            at_work.add(seconds=delay_s * 1.2 + 1)
        until(lambda: at_work.metric("failed_total", channel="ops") == 14)
        assert set(states(store).values()) == {"waiting"}
        with Receiver(port=port) as back:
            at_work.add(seconds=DELAYS_S[6] * 1.2 + 1)
            until(lambda: all_done(store), lambda: statuses(store))
            assert [each for each in back.ids() if each in told] == told
            assert sorted(back.ids()) == sorted(told + other)
    ((reason,),) = store.rows("select distinct reason from mart.alert_delivery where status = 'failed'")
    assert reason.startswith("no connection: ")


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (Answer(500), "HTTP 500"),
        (Answer(503), "HTTP 503"),
        (Answer(408), "HTTP 408"),
        (Answer(429), "HTTP 429"),
        (Answer(302, {"Location": "/elsewhere"}), "redirects are not followed"),
        (Answer(drops=True), "without an answer"),
        (Answer(delay_s=20), "no answer within 0.5 s"),
    ],
    ids=["fails", "is busy", "times out", "limits", "redirects", "drops after reading", "stalls"],
)
def test_what_a_receiver_did_not_take_is_sent_again_under_the_same_id(
    answer: Answer, reason: str, tmp_path: Path
) -> None:
    first = threading.Event()

    def answering(_path: str, _id: str) -> Answer:
        return Answer() if first.is_set() else answer

    with closing(DuckDBStore(tmp_path / "a.duckdb")) as store, Receiver(answering) as receiver:
        put(store, notices(episode()), datetime.now(UTC))
        with sending(store.beside(), webhooks(tmp_path, {"ops": receiver.url}), attempt_s=0.5) as at_work:
            until(lambda: at_work.metric("failed_total", channel="ops") == 1)
            first.set()
            at_work.add(seconds=7)
            until(lambda: all_done(store), lambda: statuses(store))
        assert [got.id for got in receiver.got] == ["e1.0", "e1.0"]
        assert receiver.got[0].body == receiver.got[1].body
        assert {got.path for got in receiver.got} == {"/"}
        assert statuses(store) == [("e1.0", "ops", 1, "failed"), ("e1.0", "ops", 2, "sent")]
        told = store.rows("select reason from mart.alert_delivery where status = 'failed'")
        assert reason in told[0][0]


@pytest.mark.parametrize("code", [400, 401, 403, 404, 413, 422])
def test_what_a_receiver_refuses_for_ever_is_a_dead_letter_at_once(code: int, tmp_path: Path) -> None:
    with closing(DuckDBStore(tmp_path / "a.duckdb")) as store, Receiver(lambda *_: Answer(code)) as receiver:
        put(store, notices(episode()), datetime.now(UTC))
        with sending(store.beside(), webhooks(tmp_path, {"ops": receiver.url})) as at_work:
            until(lambda: all_done(store))
            until(lambda: at_work.metric("dead_total", channel="ops") == 1)
        assert store.rows("select status, code, attempts, next_at from mart.alert_delivery") == [
            ("dead", code, 1, None)
        ]


def test_after_the_last_retry_there_is_a_dead_letter(connect: Connect, store: Store, tmp_path: Path) -> None:
    clock = Clock()
    put(store, notices(episode()), clock())
    with Receiver(lambda *_: Answer(500)) as receiver:
        with sending(connect(), webhooks(tmp_path, {"ops": receiver.url}), clock) as at_work:
            for nth, delay_s in enumerate(DELAYS_S, start=1):
                until(lambda nth=nth: len(receiver.got) == nth)  # type: ignore[misc]
                until(lambda nth=nth: at_work.metric("failed_total", channel="ops") == nth)  # type: ignore[misc]
                at_work.add(seconds=delay_s * 1.2 + 1)
            until(lambda: all_done(store))
            until(lambda: at_work.metric("dead_total", channel="ops") == 1)
        assert {got.id for got in receiver.got} == {"e1.0"}
    assert states(store) == {"e1.0": "dead"}
    dead = StoreDesk(store, clock).ask("deliveries", {"dead": True})
    assert [(row["message_id"], row["attempt"], row["code"]) for row in dead] == [("e1.0", len(DELAYS_S) + 1, 500)]


def test_retry_after_is_waited_for(tmp_path: Path) -> None:
    answers = iter([Answer(503, {"Retry-After": "3600"}), Answer()])
    with closing(DuckDBStore(tmp_path / "a.duckdb")) as store, Receiver(lambda *_: next(answers)) as receiver:
        clock = Clock()
        put(store, notices(episode()), clock())
        begun = clock()
        with sending(store.beside(), webhooks(tmp_path, {"ops": receiver.url}), clock) as at_work:
            until(lambda: at_work.metric("failed_total", channel="ops") == 1)
            next_at = store.rows("select next_at from op.alert_dispatch")[0][0]
            assert next_at == naive(begun) + timedelta(hours=1)
            at_work.add(minutes=59)
            time.sleep(0.2)
            assert len(receiver.got) == 1
            at_work.add(minutes=1)
            until(lambda: all_done(store))


def test_a_receiver_that_answers_410_is_left_alone_until_it_is_configured_anew(
    connect: Connect, store: Store, tmp_path: Path
) -> None:
    with Receiver(lambda path, _: Answer(410 if path == "/old" else 204)) as receiver:
        put(store, notices(episode(), [OPENED, CLOSED]), datetime.now(UTC))
        with sending(connect(), webhooks(tmp_path, {"ops": f"{receiver.url}/old"})):
            until(lambda: all_done(store))
            put(store, notices(episode("e2")), datetime.now(UTC))
            until(lambda: all_done(store) and len(states(store)) == 3, lambda: states(store))
        assert [got.id for got in receiver.got] == ["e1.0"]
        assert set(states(store).values()) == {"dead"}
        with sending(connect(), webhooks(tmp_path, {"ops": f"{receiver.url}/new"})):
            put(store, notices(episode("e3")), datetime.now(UTC))
            until(lambda: receiver.ids("/new") == ["e3.0"])


def test_a_slow_receiver_holds_no_other_channel_up(tmp_path: Path) -> None:
    with (
        closing(DuckDBStore(tmp_path / "a.duckdb")) as store,
        Receiver(lambda path, _: Answer(delay_s=60 if path == "/slow" else 0)) as receiver,
    ):
        ways = webhooks(tmp_path, {"slow": f"{receiver.url}/slow", "quick": f"{receiver.url}/quick"})
        with sending(store.beside(), ways, attempt_s=20.0):
            sent = put(store, [each for nth in range(12) for each in notices(episode(f"e{nth}"))], datetime.now(UTC))
            begun = time.monotonic()
            until(lambda: sorted(receiver.ids("/quick")) == sorted(sent))
            assert time.monotonic() - begun < 15
            receiver.closing.set()


def test_an_answer_without_an_end_is_not_read_to_its_end(tmp_path: Path) -> None:
    with (
        closing(DuckDBStore(tmp_path / "a.duckdb")) as store,
        Receiver(lambda *_: Answer(200, endless=True)) as receiver,
    ):
        put(store, notices(episode()), datetime.now(UTC))
        begun = time.monotonic()
        with sending(store.beside(), webhooks(tmp_path, {"ops": receiver.url})):
            until(lambda: states(store) == {"e1.0": "sent"})
        assert time.monotonic() - begun < 5


def test_an_address_that_turns_private_is_not_connected_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that is public when it is checked and loopback when it is connected to (DNS rebinding)."""
    monkeypatch.setattr("streams.runners.delivery.channels.looked_up", lambda *_: {"8.8.8.8": ""})
    with closing(DuckDBStore(tmp_path / "a.duckdb")) as store, Receiver() as receiver:
        rows = "".join(
            f"  - {{name: {name}, kind: webhook, url: 'http://{host}:{receiver.port}/', secret: {{env: HOOK}}}}\n"
            for name, host in (("name", "localhost"), ("literal", "127.0.0.1"), ("mapped", "[::ffff:127.0.0.1]"))
        )
        rows += f"  - {{name: page, kind: grafana, url: '{receiver.url}', token: {{env: GRAFANA}}}}\n"
        ways = channels(tmp_path, f"channels:\n{rows}routes:\n  - {{channels: [name, literal, mapped, page]}}\n")
        put(store, notices(episode()), datetime.now(UTC))
        with sending(store.beside(), ways):
            until(lambda: len(statuses(store)) == 4)
        reasons = store.rows("select distinct status, substr(reason, 1, 30) from mart.alert_delivery")
        assert {(status, reason[:24]) for status, reason in reasons} == {("failed", "no connection: refused a")}
        assert receiver.got == []


def test_no_channel_follows_a_redirect(tmp_path: Path) -> None:
    """Not even where private addresses are allowed: a receiver leads nobody to another address."""
    with closing(DuckDBStore(tmp_path / "a.duckdb")) as store, Receiver() as inner:
        answer = Answer(302, {"Location": f"{inner.url}/inner"})
        with Receiver(lambda *_: answer) as outer:
            (tmp_path / "line").write_text(f"json://127.0.0.1:{outer.port}/line\n")
            ways = channels(
                tmp_path,
                f"channels:\n  - {{name: ops, kind: webhook, url: '{outer.url}/ops', secret: {{env: HOOK}}, "
                "allow_private: true}\n"
                f"  - {{name: page, kind: grafana, url: '{outer.url}', token: {{env: GRAFANA}}, allow_private: true}}\n"
                "  - {name: line, kind: apprise, url: {file: line}, allow_private: true}\n"
                "routes:\n  - {channels: [ops, page, line]}\n",
            )
            put(store, notices(episode()), datetime.now(UTC))
            with sending(store.beside(), ways):
                until(lambda: len(statuses(store)) == 3, lambda: statuses(store))
            assert {got.path.partition("?")[0] for got in outer.got} == {"/ops", "/api/annotations", "/line"}
        assert inner.got == []
        assert {each[3] for each in statuses(store)} == {"failed"}


def test_two_senders_of_one_database_send_each_message_once(database: str, tmp_path: Path) -> None:
    with closing(PostgresStore(database)) as store:
        migrate(store, {})
        with Receiver(lambda *_: Answer(delay_s=0.02)) as receiver, ExitStack() as stack:
            urls = {name: f"{receiver.url}/{name}" for name in ("a", "b", "c")}
            ways = webhooks(tmp_path, urls)
            senders, clock = list[Sending](), Clock()
            for _ in range(3):
                connection = stack.enter_context(closing(PostgresStore(database)))
                senders.append(stack.enter_context(sending(connection, ways, clock)))
            sent = []
            for nth in range(12):
                sent += put(store, notices(episode(f"e{nth}"), [OPENED, REMINDED, CLOSED]), datetime.now(UTC))
            until(lambda: all_done(store))
            for name in urls:
                assert sorted(receiver.ids(f"/{name}")) == sorted(sent)
            assert receiver.doubled == []
            until(lambda: sum(each.metric("sent_total", channel="a") for each in senders) == len(sent))


def test_a_sender_whose_connection_is_cut_goes_on(database: str, tmp_path: Path) -> None:
    with closing(PostgresStore(database)) as store, closing(PostgresStore(database, application="cut")) as cut:
        migrate(store, {})
        with Receiver(lambda *_: Answer(delay_s=0.01)) as receiver:
            with sending(cut, webhooks(tmp_path, {"ops": receiver.url}), reconnect=cut.reconnect):
                sent = []
                for nth in range(30):
                    sent += put(store, notices(episode(f"e{nth}")), datetime.now(UTC))
                    if nth % 10 == 5:
                        store.rows(
                            "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'cut'"
                        )
                until(lambda: all_done(store))
            assert set(receiver.ids()) == set(sent)


def test_acknowledged_silenced_and_unrouted_messages_are_recorded_and_not_sent(
    connect: Connect, store: Store, receiver: Receiver, tmp_path: Path
) -> None:
    clock = Clock()
    desk = StoreDesk(connect(), clock)
    for number, site in enumerate(("plant_1", "depot")):
        store.execute("insert into op.catalog values ($1, $2, 'abc', '')", [number, site])
    routes = "  - {channels: [ops], sites: [depot, 'plant*']}\n"
    with sending(connect(), webhooks(tmp_path, {"ops": receiver.url}, routes), clock) as at_work:
        put(store, notices(episode()), clock())
        until(lambda: receiver.ids() == ["e1.0"])
        desk.ask("acknowledge", {"episode_id": "e1", "by": "chen"})
        put(store, notices(episode(), [REMINDED, ESCALATED], 1), clock())
        put(store, notices(episode("e2", site="elsewhere", subject="x")), clock())
        until(lambda: all_done(store))
        silence = desk.ask(
            "silence", {"site": "plant_1", "by": "lin", "until": (clock() + timedelta(hours=2)).isoformat()}
        )
        put(store, notices(episode("e3", site="plant_1"), [OPENED, REMINDED]), clock())
        put(store, notices(episode("e4", site="plant_1"), [OPENED]), clock())
        until(lambda: len(statuses(store)) == 7, lambda: statuses(store))
        over = episode("e4", site="plant_1", closed_ms=episode().opened_ms + 1)
        put(store, notices(over, [CLOSED], 1), clock())
        until(lambda: len(statuses(store)) == 8)
        assert receiver.ids() == ["e1.0"]
        at_work.add(hours=2, seconds=1)
        until(lambda: all_done(store), lambda: states(store))
        assert receiver.ids() == ["e1.0", "e3.0"]
        until(lambda: at_work.metric("withheld_total", channel="ops", reason="acknowledged") == 2)
        assert at_work.metric("unrouted_total") == 1
    reasons = dict(store.rows("select status, max(reason) from mart.alert_delivery group by status"))
    assert reasons["silenced"].startswith(f"silence {silence[0]['silence_id']} of lin until ")
    assert reasons["unrouted"] == "no route takes it"
    assert states(store) == {
        "e1.0": "sent", "e1.1": "acknowledged", "e1.2": "acknowledged", "e3.0": "sent", "e3.1": "silenced",
        "e4.0": "silenced", "e4.1": "untold",
    }  # fmt: skip
    acknowledged = store.rows("select acknowledged_by from mart.alert_episode where episode_id = 'e1'")
    assert acknowledged == [("chen",)]


def test_ending_a_silence_sends_what_it_kept(
    connect: Connect, store: Store, receiver: Receiver, tmp_path: Path
) -> None:
    clock = Clock()
    desk = StoreDesk(connect(), clock)
    until_ = (clock() + timedelta(days=2)).isoformat()
    store.execute("insert into op.catalog values (0, 'depot', 'abc', 'rules: [{name: too_warm}]')")
    made = desk.ask("silence", {"site": "depot", "rule": "too_warm", "by": "lin", "until": until_})
    with sending(connect(), webhooks(tmp_path, {"ops": receiver.url}), clock) as at_work:
        put(store, notices(episode()), clock())
        put(store, notices(episode("e2", rule="other")), clock())
        until(lambda: receiver.ids() == ["e2.0"])
        desk.ask("unsilence", {"silence_id": made[0]["silence_id"]})
        at_work.add(seconds=61)
        until(lambda: receiver.ids() == ["e2.0", "e1.0"])


def test_a_child_stands_under_its_parent_until_that_is_over(
    connect: Connect, store: Store, receiver: Receiver, tmp_path: Path
) -> None:
    clock = Clock()
    site = "site: depot\ntime_zone: Asia/Taipei\nassets:\n  - {name: plant}\n  - {name: hall, parent: plant}\n"
    site += "  - {name: room, parent: hall}\n"
    store.execute("insert into op.catalog values (1, 'depot', 'abc', $1)", [site])
    plant = episode("p", asset="plant", subject="depot/plant")
    small = episode("small", severity=Severity.INFO)
    grave = episode("grave", severity=Severity.CRITICAL)
    brief = episode("brief")
    with sending(connect(), webhooks(tmp_path, {"ops": receiver.url}), clock) as at_work:
        put(store, [each for one in (small, plant, grave, brief) for each in notices(one)], clock())
        until(lambda: len(statuses(store)) == 4)
        assert sorted(receiver.ids()) == ["grave.0", "p.0"]
        assert states(store) == {"p.0": "sent", "grave.0": "sent", "small.0": "grouped", "brief.0": "grouped"}
        put(store, notices(episode("brief", closed_ms=brief.opened_ms + 1), [CLOSED], 1), clock())
        put(store, notices(episode("p", asset="plant", closed_ms=plant.opened_ms + 1), [CLOSED], 1), clock())
        until(lambda: receiver.ids()[2:] == ["p.1"])
        at_work.add(seconds=61)
        until(lambda: all_done(store))
        assert receiver.ids()[2:] == ["p.1", "small.0"]
    parents = dict(store.rows("select episode_id, parent_episode_id from mart.alert_episode"))
    assert parents == {"p": None, "grave": None, "small": "p", "brief": "p"}
    assert states(store)["brief.0"] == "grouped"
    assert states(store)["brief.1"] == "untold"


def test_the_end_is_told_where_it_is_uncertain_whether_the_opening_was(
    connect: Connect, store: Store, tmp_path: Path
) -> None:
    clock = Clock()
    site = "site: depot\ntime_zone: Asia/Taipei\nassets:\n  - {name: plant}\n  - {name: room, parent: plant}\n"
    store.execute("insert into op.catalog values (1, 'depot', 'abc', $1)", [site])
    brief, plant = episode("brief"), episode("p", asset="plant", subject="depot/plant")
    with (
        Receiver(lambda _, name: Answer(500 if name == "brief.0" else 204)) as receiver,
        sending(connect(), webhooks(tmp_path, {"ops": receiver.url}), clock) as at_work,
    ):
        put(store, notices(brief), clock())
        until(lambda: states(store) == {"brief.0": "waiting"})
        put(store, notices(plant), clock())
        until(lambda: states(store).get("p.0") == "sent")
        at_work.add(seconds=10)
        until(lambda: states(store).get("brief.0") == "grouped", lambda: statuses(store))
        put(store, notices(episode("brief", closed_ms=brief.opened_ms + 1), [CLOSED], 1), clock())
        until(lambda: states(store).get("brief.1") == "sent", lambda: statuses(store))
        assert receiver.ids() == ["p.0", "brief.1"]


def test_escalation_goes_to_more_people_and_so_does_the_end_of_it(tmp_path: Path) -> None:
    with closing(DuckDBStore(tmp_path / "a.duckdb")) as store, Receiver() as receiver:
        urls = {name: f"{receiver.url}/{name}" for name in ("ops", "boss")}
        routes = "  - {channels: [ops], escalated: [boss]}\n"
        routes += "  - {channels: [boss], severities: [critical], kinds: [opened]}\n"
        with sending(store.beside(), webhooks(tmp_path, urls, routes)):
            put(store, notices(episode(), list(NoticeKind)), datetime.now(UTC))
            put(store, notices(episode("e2"), [OPENED, CLOSED]), datetime.now(UTC))
            put(store, notices(episode("e3", severity=Severity.CRITICAL)), datetime.now(UTC))
            until(lambda: all_done(store))
        assert sorted(receiver.ids("/ops")) == ["e1.0", "e1.1", "e1.2", "e1.3", "e2.0", "e2.1", "e3.0"]
        assert sorted(receiver.ids("/boss")) == ["e1.2", "e1.3", "e3.0"]


def test_messages_of_channels_that_nobody_configures_any_more_are_given_up(tmp_path: Path) -> None:
    with closing(DuckDBStore(tmp_path / "a.duckdb")) as store, Receiver(lambda *_: Answer(500)) as receiver:
        clock = Clock()
        put(store, notices(episode()), clock())
        with sending(store.beside(), webhooks(tmp_path, {"old": receiver.url}), clock) as at_work:
            until(lambda: at_work.metric("failed_total", channel="old") == 1)
        clock.add(hours=31)
        with sending(store.beside(), webhooks(tmp_path, {"new": receiver.url}), clock):
            until(lambda: all_done(store))
        assert statuses(store)[-1][3] == "dead" or statuses(store)[0][3] == "dead"


def test_grafana_gets_each_annotation_once(tmp_path: Path) -> None:
    known: list[Any] = []
    broken = iter([True])

    def answering(path: str, _id: str) -> Answer:
        if path.startswith("/api/annotations?"):
            tag = path.split("tags=")[1].split("&", maxsplit=1)[0]
            return Answer(200, body=b"[]" if all(tag not in each for each in known) else b'[{"id": 1}]')
        return Answer(200, body=b'{"id": 1}', drops=next(broken, False))

    with closing(DuckDBStore(tmp_path / "a.duckdb")) as store, Receiver(answering) as receiver:
        ways = channels(
            tmp_path,
            f"channels:\n  - {{name: page, kind: grafana, url: '{receiver.url}/', token: {{env: GRAFANA}}, "
            "allow_private: true, language: zh}\nroutes:\n  - {channels: [page]}\n",
        )
        over = episode(closed_ms=episode().opened_ms + 60_000)
        put(store, [*notices(episode()), *notices(over, [CLOSED], 1)], datetime.now(UTC))
        with sending(store.beside(), ways) as at_work:
            until(lambda: at_work.metric("failed_total", channel="page") == 1)
            posted = [got for got in receiver.got if got.method == "POST"]
            known += [posted[0].json["tags"]]
            at_work.add(seconds=7)
            until(lambda: all_done(store))
        posted = [got for got in receiver.got if got.method == "POST"]
        assert [got.headers["authorization"] for got in receiver.got] == ["Bearer token-of-grafana-1234"] * len(
            receiver.got
        )
        assert [got.json["tags"][-1] for got in posted] == ["e1.0", "e1.1"]
        assert (posted[1].json["time"], posted[1].json["timeEnd"]) == (over.opened_ms, over.closed_ms)
        assert "冷凍室太熱" in posted[0].json["text"]
        assert "2026-01-01 00:00" in posted[0].json["text"]


def test_apprise_delivers_and_connects_to_private_addresses_only_where_it_may(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streams.runners.delivery.channels.looked_up", lambda *_: {"8.8.8.8": ""})
    with closing(DuckDBStore(tmp_path / "a.duckdb")) as store, Receiver(lambda *_: Answer(200)) as receiver:
        url = f"json://127.0.0.1:{receiver.port}/"
        (tmp_path / "may").write_text(f"{url}may\n")
        (tmp_path / "not").write_text(f"{url}not\n")
        ways = channels(
            tmp_path,
            "channels:\n  - {name: may, kind: apprise, url: {file: may}, allow_private: true, language: both}\n"
            "  - {name: not, kind: apprise, url: {file: not}}\nroutes:\n  - {channels: [may, not]}\n",
        )
        put(store, notices(episode()), datetime.now(UTC))
        with sending(store.beside(), ways):
            until(lambda: len(statuses(store)) == 2)
        assert [each[1::2] for each in statuses(store)] == [("may", "sent"), ("not", "failed")]
        (got,) = receiver.got
        assert got.path == "/may"
        for words in ("警告 · 發生 / warning · opened", "depot/room"):
            assert words in got.json["title"]
        for words in ("冷凍室太熱", "look at the door first", "-11.5 Cel", "e1.0"):
            assert words in got.json["message"]
