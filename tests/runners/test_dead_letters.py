"""Dead letters, with a real receiver that refuses, closes and comes back: sent again under their ids, or discarded."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook

from streams.domain.alerts import NoticeKind
from streams.domain.findings import StoreError
from streams.runners.delivery.outcome import DELAYS_S
from streams.stores.alert_desk import StoreDesk
from streams.stores.store import Store
from tests.runners.deliveries import (
    SECRETS,
    Clock,
    Connect,
    Sending,
    all_done,
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


def dead(desk: StoreDesk) -> list[tuple[str, str]]:
    return [(row["message_id"], row["channel"]) for row in desk.ask("deliveries", {"dead": True})]


def counted(at_work: Sending, number: int, channel: str = "ops") -> bool:
    """Whether the gauge says so; it is set every few seconds."""
    return at_work.metric("dead_letters", channel=channel) == number


def test_a_dead_letter_is_sent_again_under_its_id_and_is_none_any_more(
    connect: Connect, store: Store, tmp_path: Path
) -> None:
    clock = Clock()
    desk = StoreDesk(connect(), clock)
    with Receiver(lambda *_: Answer(404)) as receiver:
        put(store, notices(episode()), clock())
        with sending(connect(), webhooks(tmp_path, {"ops": receiver.url}), clock) as at_work:
            until(lambda: states(store) == {"e1.0": "dead"})
            until(lambda: counted(at_work, 1))
            assert dead(desk) == [("e1.0", "ops")]
            receiver.answering = lambda *_: Answer()
            again = desk.ask("resend", {"channel": "ops", "by": "lin", "note": "its address was wrong"})
            assert again == [{"message_id": "e1.0", "channel": "ops", "status": "resent"}]
            until(lambda: states(store) == {"e1.0": "sent"}, lambda: statuses(store))
            until(lambda: counted(at_work, 0))
        assert [got.id for got in receiver.got] == ["e1.0", "e1.0"]
        assert receiver.got[0].body == receiver.got[1].body
        for got in receiver.got:
            Webhook(SECRETS[0]).verify(got.body, got.headers)
    assert dead(desk) == []
    rows = store.rows(
        "select status, attempt, reason, message_status from mart.alert_delivery order by attempt, status"
    )
    assert [row[0::3] for row in rows] == [("dead", "sent"), ("resent", "sent"), ("sent", "sent")]
    assert rows[1][1:3] == (1, "resent by lin: its address was wrong")


def test_what_is_sent_again_is_tried_for_another_day(connect: Connect, store: Store, tmp_path: Path) -> None:
    clock = Clock()
    desk = StoreDesk(connect(), clock)

    def worn_out(at_work: Sending, receiver: Receiver, before: int) -> None:
        for nth, delay_s in enumerate(DELAYS_S, start=before + 1):
            until(lambda nth=nth: len(receiver.got) >= nth, lambda: statuses(store))  # type: ignore[misc]
            until(lambda nth=nth: sum(row[-1] != "resent" for row in statuses(store)) >= nth)  # type: ignore[misc]
            until(lambda: states(store) == {"e1.0": "waiting"})
            at_work.add(seconds=delay_s * 1.2 + 1)
        until(lambda: states(store) == {"e1.0": "dead"}, lambda: statuses(store))

    put(store, notices(episode()), clock())
    with Receiver(lambda *_: Answer(500)) as receiver:
        with sending(connect(), webhooks(tmp_path, {"ops": receiver.url}), clock) as at_work:
            tries = len(DELAYS_S) + 1
            worn_out(at_work, receiver, 0)
            desk.ask("resend", {"messages": ["e1.0"], "by": "lin"})
            worn_out(at_work, receiver, tries)
        assert [got.id for got in receiver.got] == ["e1.0"] * 2 * tries
    assert dead(desk) == [("e1.0", "ops")]
    assert store.rows("select max(attempt) from mart.alert_delivery") == [(2 * tries,)]


def test_the_messages_of_an_episode_come_again_in_order(connect: Connect, store: Store, tmp_path: Path) -> None:
    clock = Clock()
    desk = StoreDesk(connect(), clock)
    with Receiver(lambda *_: Answer(401)) as receiver:
        told = put(store, notices(episode(), [OPENED, REMINDED, CLOSED]), clock())
        other = put(store, notices(episode("f2")), clock())
        with sending(connect(), webhooks(tmp_path, {"ops": receiver.url}), clock):
            until(lambda: set(states(store).values()) == {"dead"})
            receiver.answering = lambda *_: Answer(delay_s=0.05)
            assert len(desk.ask("resend", {"episode_id": "e1", "by": "lin"})) == 3
            until(lambda: all_done(store))
            assert receiver.ids() == told
            assert dead(desk) == [(other[0], "ops")]


def test_of_two_channels_the_one_that_is_named_sends_again(connect: Connect, store: Store, tmp_path: Path) -> None:
    clock = Clock()
    desk = StoreDesk(connect(), clock)
    with Receiver(lambda *_: Answer(403)) as receiver:
        put(store, notices(episode()), clock())
        ways = webhooks(tmp_path, {"ops": f"{receiver.url}/ops", "boss": f"{receiver.url}/boss"})
        with sending(connect(), ways, clock):
            until(lambda: len(statuses(store)) == 2)
            receiver.answering = lambda *_: Answer()
            desk.ask("resend", {"messages": ["e1"], "channel": "boss", "by": "lin"})
            until(lambda: receiver.ids() == ["e1.0"])
            until(lambda: all_done(store))
        assert receiver.ids("/boss") == ["e1.0"]
        assert dead(desk) == [("e1.0", "ops")]


def test_a_closed_channel_stays_closed_until_it_is_configured_anew(
    connect: Connect, store: Store, tmp_path: Path
) -> None:
    clock = Clock()
    desk = StoreDesk(connect(), clock)
    with Receiver(lambda path, _: Answer(410 if path == "/old" else 204)) as receiver:
        put(store, notices(episode()), clock())
        with sending(connect(), webhooks(tmp_path, {"ops": f"{receiver.url}/old"}), clock):
            until(lambda: states(store) == {"e1.0": "dead"})
            clock.add(seconds=1)
            desk.ask("resend", {"messages": ["e1.0"], "by": "lin"})
            until(lambda: len(statuses(store)) == 3, lambda: statuses(store))
        assert states(store) == {"e1.0": "dead"}
        (row,) = desk.ask("deliveries", {"dead": True})
        assert row["reason"].startswith("the channel is closed until it is configured anew")
        with sending(connect(), webhooks(tmp_path, {"ops": f"{receiver.url}/new"}), clock):
            desk.ask("resend", {"messages": ["e1.0"], "by": "lin"})
            until(lambda: receiver.ids("/new") == ["e1.0"])
            until(lambda: all_done(store))
        assert len([got for got in receiver.got if got.path == "/old"]) == 1


def test_a_silence_holds_for_what_is_sent_again(connect: Connect, store: Store, tmp_path: Path) -> None:
    clock = Clock()
    desk = StoreDesk(connect(), clock)
    with Receiver(lambda *_: Answer(404)) as receiver:
        put(store, notices(episode()), clock())
        with sending(connect(), webhooks(tmp_path, {"ops": receiver.url}), clock) as at_work:
            until(lambda: states(store) == {"e1.0": "dead"})
            receiver.answering = lambda *_: Answer()
            ends = (clock() + timedelta(hours=1)).isoformat()
            desk.ask("silence", {"site": "depot", "by": "lin", "until": ends})
            desk.ask("resend", {"by": "lin"})
            until(lambda: states(store) == {"e1.0": "silenced"})
            at_work.add(hours=1, seconds=61)
            until(lambda: receiver.ids() == ["e1.0"])


def test_a_discarded_letter_is_never_sent_and_no_longer_counted(connect: Connect, store: Store, tmp_path: Path) -> None:
    clock = Clock()
    desk = StoreDesk(connect(), clock)
    with Receiver(lambda *_: Answer(404)) as receiver:
        put(store, [*notices(episode()), *notices(episode("f2"))], clock())
        with sending(connect(), webhooks(tmp_path, {"ops": receiver.url}), clock) as at_work:
            until(lambda: counted(at_work, 2))
            desk.ask("discard", {"messages": ["e1.0"], "by": "lin", "note": "last week's"})
            until(lambda: counted(at_work, 1))
            at_work.add(days=3)
        assert [got.id for got in receiver.got].count("e1.0") == 1
    assert dead(desk) == [("f2.0", "ops")]
    assert states(store) == {"e1.0": "discarded", "f2.0": "dead"}
    with pytest.raises(StoreError, match=r"expected a dead letter; found none with id 'e1.0' \(see alerts deliveries"):
        desk.ask("resend", {"messages": ["e1.0"], "by": "lin"})


def test_what_is_meant_must_be_there_and_be_one(connect: Connect, store: Store, tmp_path: Path) -> None:
    clock = Clock()
    desk = StoreDesk(connect(), clock)
    with Receiver(lambda *_: Answer(404)) as receiver:
        put(store, notices(episode(), [OPENED, REMINDED]), clock())
        with sending(connect(), webhooks(tmp_path, {"ops": receiver.url}), clock):
            until(lambda: list(states(store).values()) == ["dead", "dead"])
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"messages": ["e1.7"]}, "found none with id 'e1.7'"),
        ({"messages": ["e1.0", "x"]}, "found none with id 'x'"),
        ({"messages": [""]}, "found none with id ''"),
        ({"messages": ["e1."]}, "found 2 whose ids begin with 'e1.'"),
        ({"channel": "boss"}, "expected dead letters of channel 'boss'; found none"),
        ({"channel": "boss", "episode_id": "e1"}, "of channel 'boss' and episode 'e1'; found none"),
        ({"episode_id": "x"}, "expected an episode of this store; found none with id 'x'"),
    ]
    for asked, said in wrong:
        for verb in ("resend", "discard"):
            with pytest.raises(StoreError) as error:
                desk.ask(verb, {**asked, "by": "lin"})
            assert said in str(error.value)
    assert list(states(store).values()) == ["dead", "dead"]
    assert len(desk.ask("resend", {"messages": ["e1.0", "e1.1"], "by": "lin"})) == 2
    assert desk.ask("resend", {"by": "lin"}) == []


def test_how_delivery_stands(connect: Connect, store: Store, tmp_path: Path) -> None:
    clock = Clock()
    desk = StoreDesk(connect(), clock)
    assert desk.ask("standing", {}) == []
    routes = "  - {channels: [ops], sites: [depot]}\n"
    with Receiver(lambda *_: Answer(404)) as receiver:
        put(store, [*notices(episode()), *notices(episode("f2")), *notices(episode("g3", site="elsewhere"))], clock())
        with sending(connect(), webhooks(tmp_path, {"ops": receiver.url}, routes), clock):
            until(lambda: len(statuses(store)) == 3)
    before = clock()
    put(store, notices(episode("h4")), clock())
    found = {row["what"]: row for row in desk.ask("standing", {})}
    assert {what: row["messages"] for what, row in found.items()} == {"dead": 2, "unrouted": 1, "lasting": 4}
    assert (found["dead"]["channel"], found["dead"]["reason"]) == ("ops", "HTTP 404 Not Found")
    clock.add(minutes=11)
    desk.ask("resend", {"messages": ["f2.0"], "by": "lin"})
    clock.add(minutes=11)
    found = {row["what"]: row for row in desk.ask("standing", {})}
    assert {what: row["messages"] for what, row in found.items()} == {
        "dead": 1, "overdue": 1, "unseen": 1, "unrouted": 1, "lasting": 4,
    }  # fmt: skip
    assert found["unseen"]["since"] == before.isoformat(timespec="seconds").replace("+00:00", "Z")
    assert found["overdue"]["channel"] == "ops"


def test_what_no_sender_saw_in_time_is_not_sent_but_for_what_still_matters(
    connect: Connect, store: Store, receiver: Receiver, tmp_path: Path
) -> None:
    """A sender is set up after a month, or comes back after days: nobody is flooded with what is long over."""
    clock = Clock()
    ways = webhooks(tmp_path, {"ops": receiver.url})
    put(store, notices(episode("told")), clock())
    with sending(connect(), ways, clock):
        until(lambda: receiver.ids() == ["told.0"])
    over = {"closed_ms": episode().opened_ms + 1}
    put(store, notices(episode("lasts"), [OPENED, REMINDED, REMINDED]), clock())
    put(store, notices(episode("over", **over), [OPENED, CLOSED]), clock())
    put(store, notices(episode("told", **over), [CLOSED], 1), clock())
    clock.add(hours=31)
    put(store, notices(episode("new", **over), [OPENED, CLOSED]), clock())
    with sending(connect(), ways, clock) as at_work:
        until(lambda: all_done(store))
        assert at_work.metric("unrouted_total") == 0
    assert sorted(receiver.ids()) == ["lasts.0", "new.0", "new.1", "told.0", "told.1"]
    reasons = store.rows("select message_id, reason from mart.alert_delivery where status = 'untold' order by 1")
    assert reasons == [(name, "no sender looked at it for 30 h") for name in ("lasts.1", "lasts.2", "over.0", "over.1")]
