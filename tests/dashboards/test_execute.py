"""Every query of every dashboard on both stores, with rows and without, and what a wrong one is told by."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import polars as pl
import pytest
import yaml
from typer.testing import CliRunner

from dashboards.checks.found import Checked, read
from dashboards.generate import RULES
from dashboards.looks import DECISION, REJECTION
from dashboards.place import GENERATED
from jobs.cli import app
from jobs.dashboards_execute import Ran, Runner, newest_ms
from jobs.opening import opened
from jobs.page.intervals import QueryError
from jobs.page.macros import TimeRange
from streams.domain.findings import Finding
from streams.operators.clean import REASONS
from streams.stores.store import Store

RUN = CliRunner()
BOARDS = read(GENERATED)
PANELS = {f"{board.uid.rpartition('-')[0]} {panel['id']}": panel for board in BOARDS for panel in board.panels}


def checked(url: str, *more: str) -> tuple[int, str]:
    done = RUN.invoke(app, ["dashboards", "check", "--store", url, *more], env={"COLUMNS": "400"})
    return done.exit_code, done.output


@pytest.mark.parametrize("store", ["demo", "nothing", "server_demo", "server_nothing"])
def test_every_query_runs_and_shows_something_or_says_why_not(store: str, request: pytest.FixtureRequest) -> None:
    code, output = checked(request.getfixturevalue(store), "--most", "6")  # as many as there are sites
    assert code == 0, output
    assert "28 dashboards, " in output and "queries, 0 errors" in output
    assert "ms  kw-" in output


@dataclass(frozen=True)
class Kept:
    """A store that keeps what it answered, by the statement."""

    store: Store
    answers: dict[str, pl.DataFrame]

    def query(self, sql: str) -> pl.DataFrame:
        self.answers[sql] = self.store.query(sql)
        return self.answers[sql]


def answers(url: str, *, timescale: bool) -> dict[str, pl.DataFrame]:
    """The answers to all queries of all panels."""
    with opened(url, read_only=True) as store:
        kept = Kept(store, {})
        runner = Runner(kept, newest_ms(store), timescale, most=3)  # type: ignore[arg-type]  # it only asks
        assert list(runner.check(BOARDS, Ran())) == []
        return kept.answers


def comparable(rows: pl.DataFrame) -> pl.DataFrame:
    """Numbers as doubles that are rounded, times as seconds, rows in one order."""
    plain = rows.select(
        (column.dt.epoch("us") / 1e6 if isinstance(column.dtype, pl.Datetime) else column).alias(column.name)
        for column in rows.iter_columns()
    )
    numbers = [name for name, dtype in plain.schema.items() if dtype.is_numeric()]
    rounded = plain.with_columns(pl.col(numbers).cast(pl.Float64).round_sig_figs(10))
    return rounded.cast(dict.fromkeys(plain.columns, pl.String)).sort(pl.all())


def test_both_stores_give_the_same_answers(demo: str, server_demo: str) -> None:
    file, server = answers(demo, timescale=False), answers(server_demo, timescale=False)
    assert len(file) > 250 and file.keys() == server.keys()
    for sql, rows in file.items():
        if "limit 200" not in sql and "limit 50" not in sql:  # rows of one moment have no order of their own
            assert comparable(rows).equals(comparable(server[sql])), f"{sql}\n{rows}\n{server[sql]}"


@pytest.mark.parametrize("name", ["cold", "machining", "furnaces", "warehouse", "solar"])
def test_the_example_sites_fill_the_dashboards_of_their_kind(name: str, demo: str) -> None:
    ran = Ran()
    (board,) = [each for each in BOARDS if each.uid == f"kw-{name}-en"]
    with opened(demo, read_only=True) as kept:
        assert list(Runner(kept, newest_ms(kept)).check([board], ran)) == []
    assert [panel["title"] for panel in board.panels if f"kw-{name} {panel['id']}" not in ran.shown] == []


@pytest.mark.parametrize(
    ("name", "sites"),
    [
        ("cold", ["cold_chain_depot"]),
        ("warehouse", ["container_yard", "machine_builder_pv"]),
        ("solar", ["machine_builder_pv"]),
        ("machining", ["worm_gear_shop", "tap_forge", "bicycle_parts"]),
        ("furnaces", ["tap_forge"]),
    ],
)
def test_only_sites_with_such_key_figures_are_offered(name: str, sites: list[str], demo: str) -> None:
    (board,) = [each for each in BOARDS if each.uid == f"kw-{name}-en"]
    with opened(demo, read_only=True) as kept:
        assert kept.query(board.variables["site"]["query"]).to_series().to_list() == sites


def test_what_a_store_has_nothing_of_is_offered_as_a_dash(nothing: str) -> None:
    (board,) = [each for each in BOARDS if each.uid == "kw-machining-en"]
    with opened(nothing, read_only=True) as kept:
        assert kept.query(board.variables["site"]["query"]).to_series().to_list() == ["-"]


def test_every_reason_of_a_decision_has_words_in_both_languages(demo: str) -> None:
    assert set(REASONS[1:]) <= set(REJECTION)
    with opened(demo, read_only=True) as kept:
        for view, names in (("register_event", DECISION), ("quarantine", REJECTION)):
            reasons = kept.query(f"select distinct reason from mart.{view}").to_series().to_list()
            assert len(reasons) > 1
            assert [
                each for each in reasons if not (each in names or any(re.fullmatch(name, each) for name in names))
            ] == []


def test_both_ways_to_group_by_time_give_the_same_answers(demo: str) -> None:
    plain, buckets = answers(demo, timescale=False), answers(demo, timescale=True)
    assert [comparable(rows).shape for rows in plain.values()] == [comparable(rows).shape for rows in buckets.values()]
    pairs = zip(plain.values(), buckets.values(), strict=True)
    assert all(comparable(one).equals(comparable(other)) for one, other in pairs)


def sql(panel: dict[str, Any], old: str, new: str) -> None:
    target = panel["targets"][0]
    assert old in target["rawSql"]
    target["rawSql"] = target["rawSql"].replace(old, new)


def wrong_column_of_the_view(panel: dict[str, Any]) -> None:
    sql(panel, "d.demand_kw", "d.demand_kilowatt")


def column_that_no_override_names(panel: dict[str, Any]) -> None:
    sql(panel, "max(d.contract_kw) as contract_kw", "max(d.contract_kw) as contract")


def times_that_do_not_ascend(panel: dict[str, Any]) -> None:
    sql(panel, "order by 1", "order by 1 desc")


def no_time(panel: dict[str, Any]) -> None:
    sql(panel, "$__timeGroupAlias(d.starts_at, $__interval)", "d.starts_at as moment")


def text_beside_values(panel: dict[str, Any]) -> None:
    sql(panel, "max(d.contract_kw)", "max(d.quality)")


def string_state(panel: dict[str, Any]) -> None:
    sql(panel, "max(case i.quality when 'measured' then 0", "max(case i.quality when 'measured' then '0'")
    sql(panel, "then 1 when 'partial' then 2 else 3 end)", "then '1' when 'partial' then '2' else '3' end)")


def state_without_a_name(panel: dict[str, Any]) -> None:
    sql(panel, "when 'measured' then 0", "when 'measured' then 9")


def text_for_a_number(panel: dict[str, Any]) -> None:
    sql(panel, "max(q.demand_kw) as peak_kw", "cast(max(q.demand_kw) as varchar) as peak_kw")


def many_rows(panel: dict[str, Any]) -> None:
    sql(panel, "from quarter as q", "from quarter as q group by q.starts_at")


def one_name_for_all_bars(panel: dict[str, Any]) -> None:
    panel["fieldConfig"]["overrides"][0]["properties"].append({"id": "displayName", "value": "kWh"})


def two_numbers_a_bar(panel: dict[str, Any]) -> None:
    sql(panel, "sum(i.energy_kwh) as energy_kwh", "sum(i.energy_kwh) as energy_kwh, count(*) as n")


def nothing_and_no_word(panel: dict[str, Any]) -> None:
    del panel["fieldConfig"]["defaults"]["noValue"]
    sql(panel, "where ", "where false and ")


MUTATIONS: list[tuple[Callable[[dict[str, Any]], None], str, str]] = [
    (wrong_column_of_the_view, "kw-energy 4", "demand_kilowatt"),
    (column_that_no_override_names, "kw-energy 4", "the query has no such column: expected contract_kw"),
    (column_that_no_override_names, "kw-energy 4", "column contract has neither a name nor a unit"),
    (times_that_do_not_ascend, "kw-energy 4", "times do not ascend"),
    (no_time, "kw-energy 4", "no column `time`"),
    (text_beside_values, "kw-energy 4", "a text becomes a label, not a value"),
    (string_state, "kw-point 9", "a text becomes a label, not a value"),
    (state_without_a_name, "kw-quality 6", "state 9 of quality has no name"),
    (text_for_a_number, "kw-energy 3", "column peak_kw is no number"),
    (many_rows, "kw-energy 3", "more than one row"),
    (one_name_for_all_bars, "kw-energy 13", "every bar would have the same name"),
    (two_numbers_a_bar, "kw-energy 13", "expected texts and one number a row"),
    (nothing_and_no_word, "kw-energy 13", "nothing to show, and no word why"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "key", "said"), MUTATIONS, ids=[f"{each[0].__name__}-{each[2][:20]}" for each in MUTATIONS]
)
@pytest.mark.parametrize("store", ["demo", "server_demo"])
def test_a_mistake_is_seen_by_the_answer(
    change: Callable[[dict[str, Any]], None], key: str, said: str, store: str, request: pytest.FixtureRequest
) -> None:
    uid, _, number = key.partition(" ")
    (board,) = [Checked(each.path, copy.deepcopy(each.whole)) for each in BOARDS if each.uid == f"{uid}-en"]
    (panel,) = [each for each in board.panels if each["id"] == int(number)]
    board.whole["panels"] = [panel]
    change(panel)
    with opened(request.getfixturevalue(store), read_only=True) as opened_store:
        found = list(run(opened_store, board))
    assert any(said in str(finding) for finding in found), found


def run(store: Store, board: Checked) -> Iterator[Finding]:
    runner, ran = Runner(store, newest_ms(store), most=1), Ran()
    yield from runner.check([board], ran)
    yield from runner.empty([board], ran)


@pytest.mark.parametrize("store", ["demo", "nothing", "server_demo", "server_nothing"])
def test_the_query_of_every_alert_rule_gives_one_number_a_row(store: str, request: pytest.FixtureRequest) -> None:
    (group,) = yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]
    with opened(request.getfixturevalue(store), read_only=True) as kept:
        to_ms = newest_ms(kept)
        for rule in group["rules"]:
            query = rule["data"][0]
            span = TimeRange(to_ms - query["relativeTimeRange"]["from"] * 1000, to_ms)
            rows = kept.query(Runner(kept, to_ms).expanded(query["model"]["rawSql"], {}, span, 60_000).sql)
            numbers = [name for name, dtype in rows.schema.items() if dtype.is_numeric()]
            texts = [name for name, dtype in rows.schema.items() if dtype == pl.String]
            assert len(numbers) == 1 and len(texts) == len(rows.columns) - 1, rule["uid"]
            assert rows[numbers[0]].null_count() == 0
            (limit,) = query_limit(rule)
            assert rule["uid"] != "kw-rule-residual" or (rows[numbers[0]] <= limit).all()


def query_limit(rule: dict[str, Any]) -> list[float]:
    return list(rule["data"][1]["model"]["conditions"][0]["evaluator"]["params"])


def test_a_range_is_taken_as_it_is_given(demo: str) -> None:
    code, output = checked(demo, "--since", "2d", "--until", "2025-06-08T00:00", "--most", "1")
    assert code == 0, output
    with pytest.raises(QueryError, match="error parsing interval yesterday: expected such as 5m"):
        RUN.invoke(app, ["dashboards", "check", "--store", demo, "--since", "yesterday"], catch_exceptions=False)


def test_a_folder_of_ones_own_is_checked_without_drift(demo: str, tmp_path: Any) -> None:
    for board in BOARDS:
        if board.uid.startswith("kw-overview"):
            (tmp_path / board.path.name).write_text(board.path.read_text(encoding="utf-8"), encoding="utf-8")
    code, output = checked(demo, "--folder", str(tmp_path))
    assert code == 1
    assert "leads nowhere" in output and "drift" not in output and "2 dashboards" in output
