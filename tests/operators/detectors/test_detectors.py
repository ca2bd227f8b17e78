"""What holds for every detector: it sees its fault, sleeps through health and gaps, and keeps its memory in JSON."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from math import nan
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.domain.alerts import Rule, Sign
from streams.operators.detectors.looking import Memory, Row, Values
from streams.operators.detectors.registry import DETECTORS
from tests.operators.detectors.courses import EXAMPLES, MONDAY, NOTHING, blank, rows, signs_of, timedelta

KINDS = sorted(DETECTORS)
SENTENCES = json.loads((Path(__file__).parent / "sentences.json").read_text(encoding="utf-8"))


def told(signs: list[Sign]) -> list[str]:
    """Signs as texts: equal texts, equal signs, NaN included."""
    return [repr(sign) for sign in signs]


def test_every_detector_has_its_example() -> None:
    assert sorted(EXAMPLES) == KINDS
    assert sorted(SENTENCES) == KINDS


@pytest.mark.parametrize("kind", KINDS)
def test_the_catalog_can_say_what_every_number_means(kind: str) -> None:
    detector = DETECTORS[kind]
    assert detector.kind == kind
    assert detector.numbers.keys() == detector.texts.keys()
    assert all("; " in text for text in detector.texts.values())
    assert all((detector.what_zh, detector.what_en, detector.check_zh, detector.check_en))
    assert not set(detector.roles) & set(detector.optional)


@pytest.mark.parametrize("kind", KINDS)
def test_the_fault_is_seen_and_the_healthy_course_is_not(kind: str) -> None:
    example = EXAMPLES[kind]
    signs = signs_of(example.rule, [*example.before, *example.after])
    assert not any(sign.is_seen for sign in signs[: example.healthy_rows])
    assert any(sign.is_seen for sign in signs[example.healthy_rows :])
    assert not any(sign.is_seen for sign in signs_of(example.rule, example.calm))


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_seen_is_told_in_both_languages(kind: str) -> None:
    example = EXAMPLES[kind]
    seen = next(sign for sign in signs_of(example.rule, [*example.before, *example.after]) if sign.is_seen)
    found = {"value": round(seen.value, 2), "limit": round(seen.limit, 2), "unit": seen.unit}
    assert {**found, "zh": seen.said.zh, "en": seen.said.en} == SENTENCES[kind]
    assert seen.said.zh.endswith(DETECTORS[kind].check_zh)
    assert seen.said.en.endswith(DETECTORS[kind].check_en)


@pytest.mark.parametrize("kind", KINDS)
def test_a_gap_neither_opens_nor_closes_anything(kind: str) -> None:
    example = EXAMPLES[kind]
    course = [*example.before, *example.after]
    look, memory, before = DETECTORS[kind].look, {}, False
    hours = max(1, int(timedelta(hours=6) / example.span))
    for nth, row in enumerate(course):
        if nth % 7 == 0 or nth >= example.healthy_rows:
            gone: Memory = memory
            for lost in course[nth : nth + (hours if nth % 49 == 0 else 2)]:
                gone, sign = look(example.rule, gone, blank(lost))
                assert sign.is_seen == before, (nth, sign)
                assert sign.at_ms == lost.ends_ms
        memory, sign = look(example.rule, memory, row)
        before = sign.is_seen
    assert before or kind in ("holiday_base_load", "night_base_load", "standing_register")


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_gap_was_estimated_to_be_neither_opens_nor_closes_anything(kind: str) -> None:
    example = EXAMPLES[kind]
    course = [*example.before, *example.after]
    spread = Values(0.0, 0.0, 0.0, 0.0, 0.0, 1, is_estimated=True)
    look, memory, before = DETECTORS[kind].look, {}, False
    for nth, row in enumerate(course):
        if nth % 5 == 0:
            _, sign = look(example.rule, memory, replace(row, by_role=dict.fromkeys(row.by_role, spread)))
            assert sign.is_seen == before, (nth, sign)
        memory, sign = look(example.rule, memory, row)
        before = sign.is_seen


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=5)
@given(st.data())
def test_a_healthy_course_with_holes_stays_unseen(kind: str, data: st.DataObject) -> None:
    example = EXAMPLES[kind]
    course = example.before
    for _ in range(data.draw(st.integers(1, 6))):
        begin = data.draw(st.integers(0, len(course) - 1))
        end = begin + data.draw(st.integers(1, max(2, len(course) // 5)))
        role = data.draw(st.sampled_from([None, *course[0].by_role]))
        course[begin:end] = [
            blank(row) if role is None else replace(row, by_role={**row.by_role, role: NOTHING})
            for row in course[begin:end]
        ]
    assert not any(sign.is_seen for sign in signs_of(example.rule, course))


def folded(rule: Rule, course: list[Row], stored_after: set[int]) -> list[Sign]:
    """Signs of a run that is stored as JSON and read again after some of the rows."""
    look, memory, signs = DETECTORS[rule.kind].look, {}, []
    for nth, row in enumerate(course):
        given_memory = copy.deepcopy(memory)
        after, sign = look(rule, memory, row)
        assert memory == given_memory, "the memory that was given changed"
        memory = json.loads(json.dumps(after, allow_nan=False)) if nth in stored_after else after
        signs.append(sign)
    return signs


@pytest.mark.parametrize("kind", KINDS)
def test_a_memory_stored_after_every_interval_changes_nothing(kind: str) -> None:
    example = EXAMPLES[kind]
    course = [*example.before, *example.after]
    if len(course) > 600:
        course = course[:200] + course[-400:]
    assert told(folded(example.rule, course, set(range(len(course))))) == told(signs_of(example.rule, course))


number = st.one_of(st.floats(-50, 1500), st.sampled_from([0.0, 1.0, 5.0, 60.0]))


@st.composite
def values(draw: st.DrawFn) -> Values:
    """Values of any kind, missing and estimated ones among them."""
    if draw(st.integers(0, 4)) == 0:
        return NOTHING
    mean, by = draw(number), draw(st.floats(0, 10))
    amount = draw(st.one_of(st.just(nan), st.floats(0, 20), st.just(0.0)))
    return Values(mean, mean - by, mean + by, mean, amount, draw(st.integers(1, 15)), draw(st.booleans()) and mean > 40)


@st.composite
def courses(draw: st.DrawFn, kind: str) -> list[Row]:
    """Any row of intervals with the roles of a detector."""
    detector = DETECTORS[kind]
    names = [*detector.roles, *detector.optional] if detector.roles else ["", *detector.optional]
    span = timedelta(minutes=draw(st.sampled_from([1, 5, 15, 60])))
    few = draw(st.lists(st.fixed_dictionaries({name: values() for name in names}), min_size=1, max_size=6))
    pick = draw(st.lists(st.integers(0, len(few) - 1), min_size=1, max_size=60))
    off_peak = (6, 2) if draw(st.booleans()) else (6,)
    begun = rows(MONDAY + timedelta(hours=draw(st.integers(0, 200))), span, len(pick), lambda _: {}, off_peak)
    return [replace(row, by_role=few[nth]) for row, nth in zip(begun, pick, strict=True)]


def rule_for(kind: str) -> Rule:
    """A rule with every number given and patience for a few intervals only, so that much is seen."""
    given_numbers = {name: 5.0 for name, number in DETECTORS[kind].numbers.items() if number is None}
    short = {"max_minutes": 10.0, "max_hours": 0.2, "least_days": 0.0, "least_hours": 1.0}
    numbers = given_numbers | {name: value for name, value in short.items() if name in DETECTORS[kind].numbers}
    return replace(EXAMPLES[kind].rule, numbers=numbers)


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=12)
@given(st.data())
def test_storing_the_memory_anywhere_changes_nothing(kind: str, data: st.DataObject) -> None:
    course = data.draw(courses(kind))
    stored = data.draw(st.sets(st.integers(0, len(course))))
    rule = rule_for(kind)
    assert told(folded(rule, course, stored)) == told(signs_of(rule, course))


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=8)
@given(st.data())
def test_the_signs_of_a_prefix_are_the_prefix_of_the_signs(kind: str, data: st.DataObject) -> None:
    course, noise = data.draw(courses(kind)), data.draw(courses(kind))
    cut = data.draw(st.integers(0, len(course)))
    later = [replace(a, by_role=noise[nth % len(noise)].by_role) for nth, a in enumerate(course[cut:])]
    rule = rule_for(kind)
    assert told(signs_of(rule, course[:cut])) == told(signs_of(rule, [*course[:cut], *later]))[:cut]
