"""What the documentation says is so: commands, views, keys, links, queries and the worked example."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import duckdb
import polars as pl
import pytest
import typer
from prometheus_client import CollectorRegistry
from typer.testing import CliRunner, Result

from jobs.cli import app
from streams.catalog.measure_rows import ConditionRow, MeasureRow
from streams.catalog.rule_kinds import OWN
from streams.catalog.rule_rows import RuleRow, ScheduleRow
from streams.catalog.site import check_site, load_site
from streams.catalog.site_file import (
    AssetRow,
    ContractRow,
    EmissionRow,
    ExchangeRow,
    PointRow,
    RatioRow,
    SiteFile,
    SupplyRow,
)
from streams.catalog.source import Row
from streams.catalog.values import TitleRow
from streams.domain.quantities import UNITS
from streams.ingest.codec import decode
from streams.ingest.mapping import Mapping, Target, read_mapping
from streams.runners.delivery.channels import examined
from streams.runners.delivery.channels_file import ChannelRow, ChannelsFile, RouteRow, SecretRow
from streams.runners.delivery.metrics import DeliveryMetrics
from streams.stores.dispatch import WITHHELD, Status
from streams.stores.duckdb_as_of import KEPT

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = [
    ROOT / "README.md",
    ROOT / "CHANGELOG.md",
    *sorted(ROOT.glob("*/README.md")),
    *sorted(ROOT.glob("docs/**/*.md")),
]
SITE = ROOT / "deploy" / "sites" / "cold_chain_depot.yaml"
QUERIES = {path.stem: path.read_text(encoding="utf-8") for path in sorted((ROOT / "sql" / "queries").glob("*.sql"))}
COLUMNS = {
    "base_load": ["site", "asset", "point", "mean_kw", "night_kw", "weekend_kw", "base_kw"],
    "completeness": [
        "site", "asset", "point", "first_at", "last_at", "span_h", "missing_h", "missing_share", "energy_kwh",
        "estimated_share",
    ],
    "cost_by_band_and_month": [
        "site", "month_of", "band", "energy_kwh", "cost_ntd", "ntd_per_kwh", "unknown_quarters", "tariff_ids",
    ],
    "emissions_by_scope_and_month": [
        "site", "month_of", "scope", "source", "location_kgco2e", "market_kgco2e", "unknown_intervals", "factor_ids",
    ],
    "energy_by_asset_and_week": ["site", "asset", "point", "week_of", "energy_kwh", "estimated_share", "missing_h"],
    "highest_quarter_hours": [
        "site", "place", "local_starts_at", "demand_kw", "contract_kw", "contract_share", "over_contract_kw", "quality",
    ],
}  # fmt: skip
RUN = CliRunner()
GROUP = typer.main.get_command(app)


def run(*arguments: str) -> Result:
    """Run the command in this process; it must succeed."""
    done = RUN.invoke(app, list(arguments), env={"COLUMNS": "400"})
    assert done.exit_code == 0, done.output
    return done


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A weekend that crosses into June, with a gap, as the command makes it."""
    folder = tmp_path_factory.mktemp("docs")
    url = f"duckdb:///{folder}/depot.duckdb"
    run("simulate", str(SITE), "--days", "2", "--from", "2025-05-31", "--fault", "gap", "--output", str(folder))
    run("ingest", f"{folder}/site.yaml", f"{folder}/telemetry.parquet", "--store", url)
    return url


def ask(url: str, statement: str, folder: Path, *more: str) -> pl.DataFrame:
    """The answer to a query, through the command."""
    out = folder / "answer.parquet"
    run("query", "--store", url, "--format", "parquet", "--output", str(out), *more, "--", statement)
    return pl.read_parquet(out)


def one(url: str, statement: str, folder: Path) -> float:
    return float(ask(url, statement, folder).item())


@pytest.mark.parametrize("name", sorted(QUERIES))
def test_a_query_for_analysts_has_rows_and_the_columns_it_promises(name: str, store: str, tmp_path: Path) -> None:
    assert QUERIES[name].startswith("-- One row ")
    rows = ask(store, QUERIES[name], tmp_path)
    assert rows.columns == COLUMNS[name]
    assert len(rows) > 0
    assert ask(store, QUERIES[name], tmp_path, "--as-of", "2200-01-01").equals(rows)


def test_the_queries_add_up_to_the_views(store: str, tmp_path: Path) -> None:
    weeks = ask(store, QUERIES["energy_by_asset_and_week"], tmp_path)
    assert weeks["energy_kwh"].sum() == pytest.approx(
        one(store, "select sum(energy_kwh) from mart.energy_daily", tmp_path)
    )
    assert weeks["estimated_share"].drop_nulls().is_between(0, 1).all()
    cost = ask(store, QUERIES["cost_by_band_and_month"], tmp_path)
    assert cost["cost_ntd"].sum() == pytest.approx(one(store, "select sum(cost_ntd) from mart.cost_interval", tmp_path))
    assert cost["month_of"].n_unique() == 2
    emissions = ask(store, QUERIES["emissions_by_scope_and_month"], tmp_path)
    assert emissions["location_kgco2e"].sum() == pytest.approx(
        one(store, "select sum(location_kgco2e) from mart.emissions_interval", tmp_path)
    )
    assert "grid_tw@2025" in emissions["factor_ids"].to_list()


def test_the_highest_quarter_hours_are_the_highest_in_local_time(store: str, tmp_path: Path) -> None:
    rows = ask(store, QUERIES["highest_quarter_hours"], tmp_path)
    assert rows["place"].to_list() == list(range(1, 11))
    assert rows["demand_kw"].is_sorted(descending=True)
    assert rows["demand_kw"][0] == one(store, "select max(demand_kw) from mart.demand_15min", tmp_path)
    at = "select max_by(starts_at, demand_kw) as at from mart.demand_15min where demand_kw < 1e9"
    shift = rows["local_starts_at"][0] - ask(store, at, tmp_path)["at"][0]
    assert shift.total_seconds() == 8 * 3600


def test_base_load_and_completeness_say_what_is_not_known(store: str, tmp_path: Path) -> None:
    base = ask(store, QUERIES["base_load"], tmp_path)
    main = base.filter(pl.col("point") == "cold_chain_depot/main")
    assert 0 < main["base_kw"].item() < main["mean_kw"].item()
    assert main["weekend_kw"].item() == main["mean_kw"].item()
    assert main["night_kw"].item() is None
    known = ask(store, QUERIES["completeness"], tmp_path)
    assert known["span_h"].unique().to_list() == [48.0]
    assert known["missing_share"].is_between(0, 1).all()
    lost = ask(store, "select point, sum(missing_s) / 3600 as lost_h from mart.energy_daily group by point", tmp_path)
    both = known.join(lost, on="point", validate="1:1")
    assert len(both) == len(known)
    assert (both["missing_h"] - both["lost_h"]).abs().max() == pytest.approx(0)
    assert both["missing_h"].max() + both["estimated_share"].max() > 0


def test_the_readme_names_every_command_and_no_other() -> None:
    named = set(re.findall(r"\bkilowatch ([a-z]+)", README))
    assert named == set(GROUP.commands)


def test_the_readme_names_every_option_of_every_command() -> None:
    for name, command in GROUP.commands.items():
        (row,) = re.findall(rf"^\| `kilowatch {name}\b.*$", README, re.MULTILINE)
        group = getattr(command, "commands", {}).values()
        every = [each for one in (command, *group) for each in one.params]
        shown = [each for each in every if not getattr(each, "hidden", False)]
        real = {opt for each in shown for opt in each.opts if opt.startswith("--") and opt != "--help"}
        assert set(re.findall(r"`(--[a-z-]+)", row)) == real, name


def test_the_page_of_alerts_has_every_command_key_and_status_and_a_sound_example(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "alerts.md").read_text(encoding="utf-8")
    commands = set(re.findall(r"kilowatch alerts ([a-z-]+)", page))
    assert commands == set(GROUP.commands["alerts"].commands)
    marked = set(re.findall(r"`([^`\n]+)`", page))
    assert keys(ChannelsFile, ChannelRow, RouteRow, SecretRow) - marked == set()
    metrics = {name for name in vars(DeliveryMetrics(CollectorRegistry())) if name != "latency"} | {"delivery_seconds"}
    assert metrics <= {each.removesuffix("_total") for each in marked}
    assert {status.value for status in (*WITHHELD, Status.DEAD, Status.RESENT, Status.DISCARDED)} <= marked
    (example,) = re.findall(r"```yaml\n(.*?)```", page.partition("## The channels file")[2], re.DOTALL)
    file = tmp_path / "channels.yaml"
    file.write_text(example, encoding="utf-8")
    secret = "whsec_" + "A" * 43 + "="
    environment = dict.fromkeys(re.findall(r"env: (\w+)", example), secret)
    assert examined(file, {**environment, "KILOWATCH_LINE_URL": "line://token/user"})[0] == []
    assert keys(ChannelsFile, ChannelRow, RouteRow) - set(re.findall(r"(\w+):", example)) == set()


def test_the_readme_has_every_mart_view_with_its_columns(store: str) -> None:
    listed = {
        view: re.findall(r"`([a-z0-9_]+)`", columns)
        for view, columns in re.findall(r"^\| `mart\.([a-z0-9_]+)` \|[^|]*\|(.*)\|$", README, re.MULTILINE)
    }
    with duckdb.connect(store.removeprefix("duckdb:///"), read_only=True) as con:
        rows = con.execute(
            "select table_name, list(column_name order by ordinal_position) from information_schema.columns "
            "where table_schema = 'mart' group by table_name"
        ).fetchall()
    assert listed == dict(rows)
    (kept,) = re.findall(r"^With `--as-of` there are (.*);", README, re.MULTILINE)
    assert set(re.findall(r"`mart\.([a-z0-9_]+)`", kept)) == {*KEPT, "configuration"}


def test_the_readme_links_every_query_and_every_query_is_described_here() -> None:
    assert set(re.findall(r"\]\(sql/queries/([a-z_]+)\.sql\)", README)) == set(QUERIES) == set(COLUMNS)


def test_the_worked_example_gives_what_the_readme_prints(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    files = re.findall(r"^`([a-z]+\.[a-z]+)`\n\n```[a-z]+\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    assert [name for name, _ in files] == ["site.yaml", "readings.csv", "mapping.yaml", "late.csv"]
    for name, text in files:
        Path(name).write_text(text, encoding="utf-8")
    steps = re.findall(r"^```console\n\$ kilowatch ([^\n]*)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    steps = [(line, printed) for line, printed in steps if "demo" not in line]
    assert len(steps) == 8
    for line, printed in steps:
        done = run(*shlex.split(line))
        said = [row.rstrip() for row in done.output.splitlines() if row.strip()]
        assert said == printed.splitlines(), line


def keys(*models: type[Row]) -> set[str]:
    """Keys as the file spells them."""
    return {item.alias or name for model in models for name, item in model.model_fields.items()}


def test_the_catalog_page_has_every_key_unit_and_a_sound_example_of_all(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "catalog.md").read_text(encoding="utf-8")
    every = keys(
        SiteFile, AssetRow, PointRow, RatioRow, ExchangeRow, SupplyRow, ContractRow, EmissionRow, TitleRow,
        MeasureRow, ConditionRow,
    )  # fmt: skip
    marked = set(re.findall(r"`([^`\n]+)`", page))
    assert every - marked == set()
    assert set(UNITS) - marked == set()
    (example,) = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    assert {key for key in every if not re.search(rf"\b{key}:", example)} == set()
    (tmp_path / "site.yaml").write_text(example, encoding="utf-8")
    assert check_site(tmp_path / "site.yaml") == []


def test_the_page_of_rules_has_every_key_and_kind_and_sound_examples(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "rules.md").read_text(encoding="utf-8")
    marked = set(re.findall(r"`([^`\n]+)`", page))
    every = keys(RuleRow, ScheduleRow)
    assert every | set(OWN) | {number for kind in OWN.values() for number in kind.numbers} <= marked
    examples = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    assert {key for key in every - {"roles"} if not re.search(rf"\b{key}:", examples[1])} == set()
    (catalog,) = re.findall(r"```yaml\n(.*?)rules:", (ROOT / "docs" / "catalog.md").read_text(), re.DOTALL)
    rooms = "".join(
        f"  - {{name: {room}/temp, asset: plant, kind: gauge, unit: Cel}}\n" for room in ("chilled-room", "cellar-1")
    )
    for number, example in enumerate(examples):
        path = tmp_path / f"{number}.yaml"
        path.write_text(catalog.replace("points:\n", f"points:\n{rooms}", 1) + example, encoding="utf-8")
        assert check_site(path) == []
        assert load_site(path).rules


def test_the_mapping_page_has_every_key_and_sound_examples(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "mapping.md").read_text(encoding="utf-8")
    assert keys(Mapping, Target) - set(re.findall(r"`([^`\n]+)`", page)) == set()
    examples = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    assert len(examples) == 2
    for number, example in enumerate(examples):
        (tmp_path / f"{number}.yaml").write_text(example, encoding="utf-8")
        read_mapping(tmp_path / f"{number}.yaml")


def test_the_telemetry_page_shows_messages_that_are_understood() -> None:
    page = (ROOT / "docs" / "telemetry.md").read_text(encoding="utf-8")
    examples = re.findall(r"```json\n(.*?)\n```", page, re.DOTALL)
    decoded = [decode(example.encode() + b"\n") for example in examples]
    assert [(len(each.readings), len(each.rejects)) for each in decoded] == [(1, 0), (2, 0), (2, 0)]


def test_every_link_leads_somewhere() -> None:
    broken = [
        f"{page.relative_to(ROOT)}: {target}"
        for page in PAGES
        for target in re.findall(r"\]\(([^)#]+)", page.read_text(encoding="utf-8"))
        if not target.startswith("https://") and not (page.parent / target).exists()
    ]
    assert broken == []


def test_the_decisions_are_numbered_and_short() -> None:
    pages = sorted((ROOT / "docs" / "adr").glob("*.md"))
    assert [int(page.name[:4]) for page in pages] == list(range(1, len(pages) + 1))
    for page in pages:
        text = page.read_text(encoding="utf-8")
        assert text.count("\n") <= 40, page.name
        assert [line for line in text.splitlines() if line.startswith("## ")] == [
            "## Context", "## Decision", "## Consequence",
        ]  # fmt: skip
