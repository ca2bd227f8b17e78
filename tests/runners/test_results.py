"""Results for other systems keep to their contract, a JSON Schema, and tell every fact that was committed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from streams.domain.quality import FactQuality
from streams.operators.state import EnergyState
from streams.pipeline import FACT, Outputs
from streams.runners import results
from streams.runners.results import MOST_ROWS, interval_messages
from tests.runners.test_live import RECORDS, SITES, lane

SCHEMA = json.loads(Path(results.__file__).with_name("energy_interval.schema.json").read_text())
CONTRACT = Draft202012Validator(SCHEMA)
POINTS = ["plant/main", "plant/點", "plant/a b"]
COLUMNS = ("point", "starts_ms", "ends_ms", "amount", "quality", "revision")
INT64 = st.integers(-(2**63), 2**63 - 1)
rows_of_facts = st.lists(
    st.fixed_dictionaries(
        {
            "place": st.integers(0, len(POINTS) - 1),
            "starts_ms": INT64,
            "ends_ms": INT64,
            "amount": st.none() | INT64,
            "quality": st.sampled_from([int(each) for each in FactQuality]),
            "revision": st.integers(0, 2**31 - 1),
        }
    ),
    min_size=1,
    max_size=30,
)


def outputs_of(facts: pl.DataFrame) -> Outputs:
    return Outputs(pl.DataFrame(), pl.DataFrame(), facts, EnergyState(np.zeros((1, 1), dtype=np.int64)), 0)


def rows_in(message: dict[str, Any]) -> Iterator[tuple[Any, ...]]:
    return zip(*(message[name] for name in COLUMNS), strict=True)


@settings(max_examples=150)
@given(rows_of_facts)
def test_any_facts_become_messages_of_the_contract(rows: list[dict[str, Any]]) -> None:
    facts = pl.DataFrame(rows, schema_overrides=FACT)
    (message,) = map(orjson.loads, interval_messages("plant", POINTS, outputs_of(facts)))
    CONTRACT.validate(message)
    assert list(rows_in(message)) == [
        (
            POINTS[row["place"]],
            row["starts_ms"],
            row["ends_ms"],
            row["amount"],
            FactQuality(row["quality"]).name.lower(),
            row["revision"],
        )
        for row in rows
    ]


def test_many_facts_are_many_messages_of_the_contract_and_none_are_none() -> None:
    one = {"place": 0, "starts_ms": 0, "ends_ms": 900_000, "amount": 1, "quality": 0, "revision": 0}
    facts = pl.DataFrame([one], schema_overrides=FACT).select(pl.all().repeat_by(MOST_ROWS + 1).explode())
    messages = [orjson.loads(each) for each in interval_messages("plant", POINTS, outputs_of(facts))]
    assert [len(each["point"]) for each in messages] == [MOST_ROWS, 1]
    assert SCHEMA["$defs"]["column"]["maxItems"] == MOST_ROWS
    assert all(map(CONTRACT.is_valid, messages))
    assert list(interval_messages("plant", POINTS, outputs_of(facts.clear()))) == []


def test_what_a_live_run_tells_is_what_it_stored() -> None:
    told: dict[tuple[str, int], tuple[int, tuple[Any, ...]]] = {}
    with lane() as made:
        for piece in made.batches(RECORDS):
            while made.next_offset <= piece[-1].offset:
                batch = made.prepare(piece)
                remember(told, batch.outputs)
                made.commit(batch)
        while (rest := made.rest()) is not None:
            remember(told, rest.outputs)
            made.commit(rest)
        stored = made.store.rows(
            "select p.point, epoch_ms(f.starts_at), epoch_ms(f.ends_at), f.amount, f.quality, f.revision "
            "from fact.interval f join op.point p using (point_id)"
        )
    assert len({point.partition("/")[0] for point, _ in told}) == len(SITES)
    assert sorted(row for _, row in told.values()) == sorted(
        (point, starts, ends, amount, FactQuality(quality).name.lower(), revision)
        for point, starts, ends, amount, quality, revision in stored
    )


def remember(told: dict[tuple[str, int], tuple[int, tuple[Any, ...]]], batch: Any) -> None:
    """Keep, as the contract tells a consumer, the row of the highest revision of each point and start."""
    for site, outputs in batch:
        for value in interval_messages(site.name, site.points, outputs):
            message = orjson.loads(value)
            CONTRACT.validate(message)
            for row in rows_in(message):
                known = told.get(row[:2], (-1, row))
                if row[-1] >= known[0]:
                    told[row[:2]] = row[-1], row


def test_the_contract_is_a_schema_of_version_1_and_its_examples_keep_to_it() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert (SCHEMA["$id"], SCHEMA["version"]) == ("urn:kilowatch:energy.interval:1", 1)
    page = (Path(__file__).parents[2] / "docs" / "telemetry.md").read_text()
    (example,) = re.findall(r'^\{"version".*\}$', page, re.MULTILINE)
    for each in (*SCHEMA["examples"], json.loads(example)):
        CONTRACT.validate(each)


RIGHT = SCHEMA["examples"][0]


@pytest.mark.parametrize(
    "wrong",
    [
        {"version": 2},
        {"version": "1"},
        {"site": ""},
        {"point": []},
        {"point": "plant/main"},
        {"starts_ms": ["2026-01-05"]},
        {"amount": [1.5]},
        {"amount": [2**63]},
        {"quality": ["good"]},
        {"quality": [0]},
        {"revision": [-1]},
        {"revision": [None]},
    ],
)
def test_the_contract_refuses_what_it_does_not_say(wrong: dict[str, Any]) -> None:
    assert CONTRACT.is_valid(RIGHT) and CONTRACT.is_valid(RIGHT | {"added": [1]})
    assert not CONTRACT.is_valid(RIGHT | wrong)
    assert not any(CONTRACT.is_valid({key: item for key, item in RIGHT.items() if key != name}) for name in RIGHT)
