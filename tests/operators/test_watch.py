"""Rules over readings, intervals and ticks: what opens, what closes, and that cutting changes nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.domain.alerts import Rule, Schedule, Severity, Sign, Words
from streams.operators import rulebook, thresholds
from streams.operators.detectors.looking import Detector, Memory, Row
from tests.operators.watched_site import (
    CELLAR,
    FEED,
    MINUTE_MS,
    ROOM,
    START_MS,
    Reading,
    Run,
    Step,
    contract,
    fed,
    warm,
    watch_of,
)


def _apart(rule: Rule, memory: Memory, row: Row) -> tuple[Memory, Sign]:
    """A detector of two roles: seen where they are more than a number apart in two intervals of three."""
    room, other = row.by_role["room"].mean, row.by_role["other"].mean
    last = [*memory.get("last", []), bool(abs(room - other) > rule.numbers["apart"])][-3:]
    said = Words(f"差 {room - other:.1f}", f"apart by {room - other:.1f}")
    return {"last": last}, Sign("", "", 0, sum(last) > 1, room - other, rule.numbers["apart"], "Cel", said)


def _alone(_rule: Rule, memory: Memory, row: Row) -> tuple[Memory, Sign]:
    """A detector of a lone point that counts only while a door is open."""
    value = row.by_role[""].mean
    return memory, Sign("", "", 0, value > 8 and row.by_role["door"].mean > 0, value, 8.0, "Cel")


@pytest.fixture(autouse=True)
def _detector(monkeypatch: pytest.MonkeyPatch) -> None:
    toy = Detector("apart", _apart, ("room", "other"), (), {"apart": 2.0}, {}, check_zh="查門。", check_en="See doors.")
    alone = Detector("alone", _alone, (), ("door",), {}, {})
    monkeypatch.setattr(rulebook, "DETECTORS", {"apart": toy, "alone": alone})


APART = Rule("apart", "apart", roles={"room": "site/room/temp", "other": "site/cellar/temp"}, numbers={"apart": 2.0})
SCORE = Rule("odd", "score", points=("site/room/temp",), numbers={"above": 0.9})
SILENCE = Rule("silent", "silence", points=("site/room/temp", "site/feed"), for_ms=20 * MINUTE_MS)
EVERY = (
    warm(remind_ms=30 * MINUTE_MS, escalate_ms=45 * MINUTE_MS),
    replace(warm(), name="night", schedule=Schedule(frozenset({0}), 600, 660), for_ms=0, clear_ms=3 * MINUTE_MS),
    Rule("band", "threshold", points=("site/room/temp",), numbers={"above": 9.0, "below": 2.0}, for_ms=MINUTE_MS),
    SCORE,
    SILENCE,
    APART,
    contract(),
)

hot = st.sampled_from([1.0, 6.0, 7.5, 8.5, 8.5, 9.5, 9.5, 12.0])
busy = st.sampled_from([300.0, 420.0, 500.0])
scores = st.sampled_from([0.5, 0.95, 3.0, 6.0])
steps = st.integers(-3, 9)


@st.composite
def histories(draw: st.DrawFn) -> list[Step]:
    """Stretches of readings that go on and jump back, of intervals in order of each point, and ticks that go on."""
    items: list[Step] = []
    at = dict.fromkeys((ROOM, CELLAR, FEED), 0)
    ends, ticked = {ROOM: 0, CELLAR: 0}, 0
    for sort in draw(st.lists(st.sampled_from(["read", "read", "read", "close", "tick"]), max_size=8)):
        if sort == "tick":
            ticked = max(ticked + draw(st.integers(0, 15)), max(at.values()) + 1)
            items.append(("tick", ticked))
        elif sort == "close":
            for place in draw(st.lists(st.sampled_from([ROOM, CELLAR, CELLAR, CELLAR]), max_size=12)):
                begin = ends[place]
                ends[place] += 15 if place == ROOM else 5
                items.append(("close", (place, begin, ends[place], draw(scores))))
        else:
            for place, step in draw(
                st.lists(st.tuples(st.sampled_from([ROOM, CELLAR, FEED, FEED]), steps), max_size=20)
            ):
                moment = at[place] + (min(step, 4) if place == FEED else step)
                at[place] = max(at[place], moment)
                items.append(("read", (place, moment, draw(busy if place == FEED else hot))))
    return items


@given(histories(), st.sets(st.integers(1, 80)), st.booleans())
def test_cutting_and_keeping_as_bytes_change_nothing(items: list[Step], cuts: set[int], by_bytes: bool) -> None:
    made = watch_of(*EVERY, imports=("site/feed",))
    whole, cut = fed(made, items, set()), fed(made, items, cuts, by_bytes=by_bytes)
    assert sorted(map(repr, cut.notices)) == sorted(map(repr, whole.notices))
    assert {name: repr(each) for name, each in cut.episodes.items()} == {
        name: repr(each) for name, each in whole.episodes.items()
    }
    assert made.from_bytes(cut.state.to_bytes()).to_bytes() == cut.state.to_bytes()
    assert cut.state.to_bytes() == whole.state.to_bytes()


@given(histories(), st.integers(0, 80))
def test_nothing_that_comes_later_changes_what_was_told(items: list[Step], end: int) -> None:
    made = watch_of(*EVERY, imports=("site/feed",))
    short, long = fed(made, items[:end], set()), fed(made, items, set())
    assert set(map(repr, short.notices)) <= set(map(repr, long.notices))


@given(histories())
def test_numbers_of_an_episode_count_from_0_and_it_opens_and_closes_once(items: list[Step]) -> None:
    run = fed(watch_of(*EVERY, imports=("site/feed",)), items, set())
    by_episode: dict[str, list[tuple[int, str]]] = {}
    for notice in sorted(run.notices, key=lambda each: each.number):
        by_episode.setdefault(notice.episode.episode_id, []).append((notice.number, str(notice.kind)))
    for name, told in by_episode.items():
        assert [number for number, _ in told] == list(range(len(told)))
        kinds = [kind for _, kind in told]
        assert kinds[0] == "opened"
        assert kinds.count("opened") == 1
        assert kinds.count("closed") <= 1
        assert kinds.count("escalated") <= 1
        assert "closed" not in kinds[:-1]
        assert (run.episodes[name].closed_ms is not None) == (kinds[-1] == "closed")
        assert (run.episodes[name].closed_ms or START_MS * 2) >= run.episodes[name].opened_ms
    assert len({notice.message_id for notice in run.notices}) == len(run.notices)
    assert set(run.episodes) == set(by_episode)


def test_an_episode_opens_with_the_reading_that_shows_it_and_closes_likewise() -> None:
    run = Run(watch_of(warm())).read((ROOM, 0, 6.0), (ROOM, 1, 8.5), (ROOM, 5, 9.5), (ROOM, 7, 8.2), (ROOM, 8, 6.5))
    assert run.told() == [("opened", 7.0)]
    (episode,) = run.episodes.values()
    assert (episode.opened_ms - START_MS, episode.value, episode.worst) == (6 * MINUTE_MS, 6.5, 9.5)
    assert (episode.severity, episode.asset, episode.unit) == (Severity.WARNING, "room", "Cel")
    run.read((ROOM, 17, 6.4))
    assert run.told() == [("opened", 7.0)]
    run.read((ROOM, 18, 6.4))
    assert run.told() == [("opened", 7.0), ("closed", 18.0)]
    assert run.episodes[episode.episode_id].closed_ms == START_MS + 8 * MINUTE_MS


def test_what_lasts_less_than_for_is_nothing() -> None:
    run = Run(watch_of(warm())).read((ROOM, 0, 8.5), (ROOM, 4, 6.9), (ROOM, 5, 8.1), (ROOM, 9, 8.2))
    assert run.notices == []
    assert run.read((ROOM, 10, 8.1)).told() == [("opened", 10.0)]


def test_a_value_between_limit_and_clear_opens_nothing_and_closes_nothing() -> None:
    run = Run(watch_of(warm())).read((ROOM, 0, 8.5), (ROOM, 4, 7.5), (ROOM, 9, 7.1), (ROOM, 20, 7.9)).tick(40)
    assert run.notices == []
    run.read((ROOM, 41, 8.5), (ROOM, 46, 8.5), (ROOM, 47, 7.5), (ROOM, 90, 7.5))
    assert run.told() == [("opened", 46.0)]
    run.read((ROOM, 91, 7.0), (ROOM, 95, 7.5), (ROOM, 101, 7.5))
    assert run.told()[1:] == [("closed", 101.0)]


@given(st.lists(st.floats(0.1, 9.9), min_size=1, max_size=30))
def test_flapping_is_one_episode_that_counts_its_flaps(steps: list[float]) -> None:
    run = Run(watch_of(warm())).read((ROOM, 0, 9.0), (ROOM, 5, 9.0))
    at = 5.0
    for step in steps:
        run.read((ROOM, at + step / 2, 6.0), (ROOM, at + step, 9.0))
        at += step
    (episode,) = run.episodes.values()
    assert [str(notice.kind) for notice in run.notices] == ["opened"]
    assert episode.flaps == len(steps)


def test_a_reading_that_is_older_than_the_newest_is_ignored() -> None:
    run = Run(watch_of(warm(for_ms=0))).read((ROOM, 10, 6.0), (ROOM, 9, 20.0), (ROOM, 10, 20.0))
    assert run.notices == []
    assert Run(watch_of(warm(for_ms=0))).read((ROOM, 9, 20.0), (ROOM, 10, 6.0)).told() == [("opened", 9.0)]


def test_a_tick_shows_that_what_was_seen_last_is_still_so_a_minute_ago() -> None:
    run = Run(watch_of(warm())).read((ROOM, 0, 9.0)).tick(5.5)
    assert run.notices == []
    assert run.tick(6).told() == [("opened", 5.0)]
    run.read((ROOM, 7, 5.0)).tick(17.9)
    assert len(run.notices) == 1
    assert run.tick(18).told()[1:] == [("closed", 17.0)]


def test_reminders_and_one_escalation_come_by_ticks_while_it_is_seen() -> None:
    rule = warm(remind_ms=10 * MINUTE_MS, escalate_ms=25 * MINUTE_MS)
    run = Run(watch_of(rule)).read((ROOM, 0, 9.0), (ROOM, 5, 9.0))
    for minute in range(6, 60):
        run.tick(minute)
    kinds = [("opened", 5.0), ("reminded", 15.0), ("reminded", 25.0), ("escalated", 30.0), ("reminded", 40.0)]
    assert run.told() == [*kinds, ("reminded", 50.0)]
    run.read((ROOM, 59, 5.0)).tick(65)
    assert len(run.notices) == len(kinds) + 1


def test_a_schedule_over_midnight_belongs_to_the_day_it_begins_on() -> None:
    monday_night = Schedule(frozenset({0}), 22 * 60, 6 * 60)
    rule = warm(for_ms=0, schedule=monday_night)
    hours = {21: 0, 22: 1, 29: 1, 30: 0, 46: 0}  # hours after Monday's midnight
    for hour, count in hours.items():
        run = Run(watch_of(rule)).read((ROOM, (hour - 10) * 60, 9.0))
        assert len(run.notices) == count, hour


def test_a_rule_of_off_peak_days_holds_on_sundays_and_holidays_alone() -> None:
    rule = warm(for_ms=0, schedule=Schedule(off_peak_days=True))
    sunday, monday = 6 * 24 * 60, 7 * 24 * 60
    assert Run(watch_of(rule)).read((ROOM, monday, 9.0)).notices == []
    assert len(Run(watch_of(rule)).read((ROOM, sunday, 9.0)).notices) == 1
    assert (
        len(Run(watch_of(replace(rule, schedule=Schedule(off_peak_days=False)))).read((ROOM, sunday, 9.0)).notices) == 0
    )


def test_an_episode_closes_after_its_schedule_has_ended() -> None:
    rule = warm(for_ms=0, schedule=Schedule(begin_minute=600, end_minute=660))
    run = Run(watch_of(rule)).read((ROOM, 50, 9.0)).tick(62).tick(70).tick(72)
    assert run.told() == [("opened", 50.0), ("closed", 71.0)]


def test_a_tick_right_after_a_schedule_begins_takes_nothing_back() -> None:
    rule = warm(for_ms=0, schedule=Schedule(begin_minute=620, end_minute=660))
    run = Run(watch_of(rule)).read((ROOM, 20.2, 9.0)).tick(20.5).read((ROOM, 20.7, 9.0))
    assert [each.flaps for each in run.episodes.values()] == [0]


def test_silence_counts_from_the_last_reading_or_from_the_first_tick() -> None:
    run = Run(watch_of(SILENCE)).tick(0).read((ROOM, 10, 5.0)).tick(19.9)
    assert run.notices == []
    run.tick(20).tick(29).tick(31)
    assert [(notice.episode.subject, at) for notice, (_, at) in zip(run.notices, run.told(), strict=True)] == [
        ("site/feed", 20.0),
        ("site/room/temp", 31.0),
    ]
    assert run.notices[1].episode.opened_ms == START_MS + 30 * MINUTE_MS
    run.read((ROOM, 32, 5.0)).tick(33).tick(43)
    assert run.told()[-1] == ("closed", 43.0)


def test_the_score_of_an_interval_is_held_against_its_limit() -> None:
    run = Run(watch_of(SCORE)).close((ROOM, 0, 15, 0.5), (ROOM, 15, 30, 0.95), (ROOM, 30, 45, 0.1), (ROOM, 45, 60, 0.1))
    assert run.told() == [("opened", 30.0), ("closed", 45.0)]
    (episode,) = run.episodes.values()
    assert (episode.opened_ms, episode.closed_ms) == (START_MS + 15 * MINUTE_MS, START_MS + 30 * MINUTE_MS)


def test_points_of_a_rule_are_aligned_to_the_coarsest_and_looked_at_in_order() -> None:
    rooms = [(ROOM, nth * 15, nth * 15 + 15, 9.0) for nth in range(4)]
    cellar = [(CELLAR, nth * 5, nth * 5 + 5, 3.0) for nth in range(12)]
    run = Run(watch_of(APART)).close(*rooms)
    assert run.notices == []
    run.close(*cellar[:5])
    assert run.notices == []
    run.close(*cellar[5:])
    assert run.told() == [("opened", 30.0)]
    (episode,) = run.episodes.values()
    assert (episode.subject, episode.value, episode.unit) == ("room", 6.0, "Cel")
    assert episode.said == Words("差 6.0", "apart by 6.0")
    assert episode.advice == Words()


def test_a_point_that_is_looked_at_alone_may_have_another_beside_it() -> None:
    rule = Rule("alone", "alone", points=("site/room/temp", "site/cellar/temp"), roles={"door": "site/feed"})
    run = Run(watch_of(rule)).close(
        (ROOM, 0, 15, 9.0), (CELLAR, 0, 5, 9.0), (CELLAR, 5, 10, 9.0), (CELLAR, 10, 15, 5.0)
    )
    assert run.notices == []
    run.close((FEED, 0, 15, 1.0))
    assert [(notice.episode.subject, notice.episode.value) for notice in run.notices] == [("site/room/temp", 9.0)]


def test_a_tick_gives_up_what_does_not_come() -> None:
    run = Run(watch_of(APART)).close(*((ROOM, nth * 15, nth * 15 + 15, 9.0) for nth in range(4)))
    assert run.state.gathered["apart", "room"].done_ms < START_MS
    run.tick(60)
    assert run.state.gathered["apart", "room"].done_ms == START_MS + 30 * MINUTE_MS
    assert run.state.memories["apart", "room"][1] == {"last": [False, False]}


def test_an_interval_that_closed_once_is_not_told_again() -> None:
    run = Run(watch_of(SCORE)).close((ROOM, 0, 15, 0.5)).close((ROOM, 0, 15, 0.99), (ROOM, 15, 30, 0.5))
    assert run.notices == []


def test_a_rule_that_is_gone_closes_its_episode_and_one_that_changed_carries_it() -> None:
    run = Run(watch_of(warm())).read((ROOM, 0, 9.0), (ROOM, 5, 9.0))
    kept = Run(watch_of(warm(numbers={"above": 8.5}), SILENCE))
    kept.state = kept.watch.from_bytes(run.state.to_bytes())
    assert kept.read((ROOM, 6, 8.4)).tick(17).told() == [("closed", 16.0)]
    assert set(kept.episodes) == set(run.episodes)
    gone = Run(watch_of(replace(SILENCE, name="warm")))
    gone.state = gone.watch.from_bytes(run.state.to_bytes())
    gone.tick(7).tick(8)
    (notice,) = gone.notices
    assert (notice.episode.episode_id, notice.number, notice.at_ms) == (*run.episodes, 1, START_MS + 7 * MINUTE_MS)
    assert notice.episode.said.en.startswith("Closed because the rule was removed or changed.")


def test_readings_within_their_limits_reach_no_episode(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[object] = []
    monkeypatch.setattr(thresholds, "follow", lambda *given: calls.append(given))
    rows: list[Reading] = [(ROOM, nth / 10, 5.0 + (nth % 7) / 10) for nth in range(10_000)]
    Run(watch_of(warm())).read(*rows)
    assert calls == []
    Run(watch_of(warm())).read(*rows, (ROOM, 2000, 9.0))
    assert len(calls) == 1
