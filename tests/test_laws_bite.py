"""Every property test of a law fails when an operator breaks that law: a deliberate fault for each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import Phase, settings

from streams.operators import (
    advance,
    energy,
    episodes,
    registers,
    scoring,
    segments,
    tallies,
    thresholds,
    watch,
    watch_state,
)
from streams.operators.metering import Count, Course, Meter
from streams.operators.models import watch as model_watch
from streams.operators.points import PointTable
from streams.operators.readings import Readings
from streams.operators.state import EnergyState
from streams.pipeline import Pipeline
from tests.operators import (
    test_anomaly,
    test_demand_watch,
    test_energy,
    test_models,
    test_registers,
    test_tallies,
    test_watch,
)
from tests.stores import test_duckdb

Patch = pytest.MonkeyPatch


def fails(test: Callable[..., None]) -> None:
    """Run a property test without shrinking and expect it to find a counterexample."""
    vars(test).pop("_hypothesis_internal_settings_applied", None)  # several faults may be looked for by one test
    searched = settings(max_examples=300, phases=(Phase.generate,), derandomize=True, deadline=None, database=None)(
        test
    )
    with pytest.raises((AssertionError, ExceptionGroup)):
        searched()


def test_law_1_is_missed_when_a_reset_loses_its_energy(monkeypatch: Patch) -> None:
    kept = registers.Course.accept

    def lossy(course: registers.Course, time_ms: int, value: int, growth: int, flag: int = 0) -> None:
        kept(course, time_ms, value, 0 if flag & registers.Flag.DOUBTFUL else growth, registers.Flag(flag))

    monkeypatch.setattr(registers.Course, "accept", lossy)
    fails(test_registers.test_energy_is_conserved_to_the_tick)


def test_law_1_is_missed_when_a_boundary_is_forgotten(monkeypatch: Patch, tmp_path: Path) -> None:
    kept = advance._facts

    def forgetful(*arguments: object) -> advance.Facts:
        facts = kept(*arguments)  # type: ignore[arg-type]
        facts["amount"] = np.where(facts["starts_ms"] % 3_600_000 == 0, 0, facts["amount"])
        return facts

    monkeypatch.setattr(advance, "_facts", forgetful)
    with pytest.raises(AssertionError):
        test_duckdb.test_the_account_of_every_register_and_day_has_no_residual(tmp_path, 100_000)


def test_law_2_is_missed_when_a_gap_counts_as_known(monkeypatch: Patch) -> None:
    kept = energy.rates

    def zeros(*arguments: object) -> advance.Accepted:
        rows = kept(*arguments)  # type: ignore[arg-type]
        return replace(rows, flag=np.zeros_like(rows.flag))

    monkeypatch.setattr(energy, "rates", zeros)
    with pytest.raises(AssertionError):
        test_energy.test_a_gap_in_power_is_missing_and_never_a_zero()


def test_law_4_is_missed_when_the_first_interval_of_a_reading_is_told_by_the_batch(monkeypatch: Patch) -> None:
    kept = scoring._is_news

    def per_batch(minute: np.ndarray, beat: np.ndarray, resolution: np.ndarray) -> np.ndarray:
        return kept(minute - minute[0], beat, resolution)

    monkeypatch.setattr(scoring, "_is_news", per_batch)
    fails(test_anomaly.test_cuts_within_a_reading_of_several_intervals_change_nothing)


def test_law_4_is_missed_when_lateness_is_decided_per_batch(monkeypatch: Patch) -> None:
    kept = energy._arrive

    def per_batch(table: PointTable, state: EnergyState, batch: Readings) -> Readings:
        seen = state.column("highest_ms")
        known = seen > energy.NEVER
        np.maximum.at(seen, batch.place[known[batch.place]], batch.time_ms[known[batch.place]])
        return kept(table, state, batch)

    monkeypatch.setattr(energy, "_arrive", per_batch)
    fails(test_energy.test_cutting_leaves_facts_and_revisions_alike_also_with_late_readings)


def test_law_5_is_missed_when_late_readings_are_dropped(monkeypatch: Patch) -> None:
    monkeypatch.setattr(energy, "_again", lambda *_arguments: None)
    fails(test_energy.test_late_readings_end_in_the_facts_that_order_would_have_given)


def test_law_5_is_missed_when_nothing_is_waited_for(monkeypatch: Patch) -> None:
    hasty = replace(test_energy.ALL, lateness_ms=np.zeros_like(test_energy.ALL.lateness_ms))
    monkeypatch.setattr(test_energy, "ALL", hasty)
    fails(test_energy.test_shuffling_within_the_lateness_and_repeating_change_nothing)


def test_independence_is_missed_when_a_point_goes_on_from_its_neighbour(monkeypatch: Patch) -> None:
    def mixed(values: np.ndarray, _starts: np.ndarray, base: np.ndarray) -> np.ndarray:
        return np.concatenate((base[:1], values[:-1]))

    monkeypatch.setattr(segments, "shifted", mixed)
    fails(test_energy.test_points_do_not_depend_on_each_other)


def test_a_snapshot_is_missed_when_what_waits_is_not_restored(monkeypatch: Patch, tmp_path: Path) -> None:
    monkeypatch.setattr(Pipeline, "restore", lambda *_arguments: None)
    with pytest.raises(AssertionError):
        test_duckdb.test_a_restart_before_every_step_leaves_the_same_facts(tmp_path)


def test_cutting_of_rules_is_missed_when_what_was_seen_before_a_batch_is_forgotten(monkeypatch: Patch) -> None:
    kept = thresholds.follow

    def forgetful(
        log: object, case: object, track: episodes.Track | None, looks: episodes.Looks, *rest: object
    ) -> object:
        if track is not None and len(looks.code) == 1:
            track = replace(track, is_seen=False)
        return kept(log, case, track, looks, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(thresholds, "follow", forgetful)
    fails(test_watch.test_cutting_and_keeping_as_bytes_change_nothing)


def test_cutting_of_rules_is_missed_when_a_batch_is_taken_by_its_newest_reading(monkeypatch: Patch) -> None:
    kept = watch.hear

    def newest_first(watched: object, newest: np.ndarray, place: np.ndarray, *rest: np.ndarray) -> object:
        order = np.argsort(-rest[0], kind="stable")
        return kept(watched, newest, place[order], *(each[order] for each in rest))  # type: ignore[arg-type]

    monkeypatch.setattr(watch, "hear", newest_first)
    fails(test_watch.test_cutting_and_keeping_as_bytes_change_nothing)


def test_the_bytes_of_rules_are_missed_when_they_lose_since_when(monkeypatch: Patch) -> None:
    kept = watch_state._track
    monkeypatch.setattr(watch_state, "_track", lambda found: replace(kept(found), since_ms=0))
    fails(test_watch.test_cutting_and_keeping_as_bytes_change_nothing)


def test_causality_of_rules_is_missed_when_the_worst_is_known_beforehand(monkeypatch: Patch) -> None:
    kept = episodes._worse

    def prophetic(track: object, looks: episodes.Looks, seen_at: object, begin: int, _end: int) -> object:
        return kept(track, looks, seen_at, begin, len(looks.code))  # type: ignore[arg-type]

    monkeypatch.setattr(episodes, "_worse", prophetic)
    fails(test_watch.test_nothing_that_comes_later_changes_what_was_told)


def test_flapping_is_missed_when_an_episode_closes_at_once(monkeypatch: Patch) -> None:
    kept = episodes._unseen

    def hasty(log: object, case: episodes.Case, *rest: object) -> object:
        return kept(log, replace(case, rule=replace(case.rule, clear_ms=0)), *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(episodes, "_unseen", hasty)
    fails(test_watch.test_flapping_is_one_episode_that_counts_its_flaps)


def test_cutting_of_a_meter_is_missed_when_its_full_minutes_are_forgotten(monkeypatch: Patch) -> None:
    kept = test_demand_watch.run

    def forgetful(meter: Meter, count: Count, *rest: np.ndarray) -> tuple[Count, Course]:
        return kept(meter, replace(count, minutes=()), *rest)

    monkeypatch.setattr(test_demand_watch, "run", forgetful)
    fails(test_demand_watch.test_a_meter_counts_the_same_however_its_readings_are_cut)


def test_cutting_of_models_is_missed_when_a_window_does_not_wait_for_its_states(monkeypatch: Patch) -> None:
    kept = model_watch.reach
    monkeypatch.setattr(model_watch, "reach", lambda by, state: kept(replace(by, states={}), state))
    fails(test_models.test_cutting_and_keeping_as_bytes_change_no_score)


def test_causality_of_models_is_missed_when_the_last_word_holds_from_the_first_window_on(monkeypatch: Patch) -> None:
    kept = model_watch.hear

    def prophetic(by: model_watch.Watched, state: model_watch.ModelState, point: str, *given: object) -> object:
        heard = kept(by, state, point, *given)  # type: ignore[arg-type]
        course = heard.courses[point]
        words = (course.changes.words[-1],) * len(course.changes.words)
        told = replace(course, changes=replace(course.changes, words=words))
        return replace(heard, courses={**heard.courses, point: told})

    monkeypatch.setattr(model_watch, "hear", prophetic)
    fails(test_models.test_nothing_later_than_a_window_changes_its_score)


def test_cutting_of_tallies_is_missed_when_what_is_left_of_an_area_is_forgotten(monkeypatch: Patch) -> None:
    kept = tallies.tallies

    def forgetful(table: PointTable, state: EnergyState, *rest: np.ndarray) -> advance.Accepted:
        state.column("remainder")[rest[0]] = 0
        return kept(table, state, *rest)

    monkeypatch.setattr(energy, "tallies", forgetful)
    fails(test_tallies.test_cutting_leaves_tallies_and_their_revisions_alike)


def test_law_2_is_missed_when_a_gap_of_a_tally_counts_as_off(monkeypatch: Patch) -> None:
    kept = tallies.tallies

    def zeros(*arguments: object) -> advance.Accepted:
        rows = kept(*arguments)  # type: ignore[arg-type]
        return replace(rows, flag=np.zeros_like(rows.flag))

    monkeypatch.setattr(energy, "tallies", zeros)
    fails(test_tallies.test_the_states_of_a_machine_fill_the_time_that_is_known)


def test_law_5_is_missed_when_late_readings_are_no_part_of_tallies(monkeypatch: Patch) -> None:
    monkeypatch.setattr(energy, "_again", lambda *_arguments: None)
    fails(test_tallies.test_late_readings_end_in_the_tallies_that_order_would_have_given)


def test_the_sum_of_bands_is_missed_when_a_bound_belongs_to_both_sides(monkeypatch: Patch) -> None:
    kept = tallies.tallies

    def closed(table: PointTable, *rest: object) -> advance.Accepted:
        return kept(replace(table, tally=replace(table.tally, high=table.tally.high + 1)), *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(energy, "tallies", closed)
    fails(test_tallies.test_the_states_of_a_machine_fill_the_time_that_is_known)


def test_ratios_are_missed_when_a_power_stays_that_of_the_secondary_side(monkeypatch: Patch) -> None:
    monkeypatch.setattr(energy, "_primary", lambda *arguments: arguments[-1])
    fails(test_energy.test_a_power_behind_a_transformer_is_one_of_as_many_times_the_size)
