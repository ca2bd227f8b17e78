"""The dashboards themselves in a real browser, on the store of the demo: what a person does in the morning."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from typer.testing import CliRunner

from jobs.cli import app
from jobs.page.chromium import Tab
from jobs.page.dashboards import GENERATED
from tests.page.conftest import served
from tests.page.test_browser import DRAWN, in_browser, named, opened, settled
from tests.servers import missing

SITE, OTHER = "container_yard", "cold_chain_depot"


def link(text: str) -> str:
    """An expression for the first link in a panel with a text; what is out of sight has no inner text."""
    every = "[...document.querySelectorAll('[data-panel] a')]"
    return f"{every}.find((each) => each.textContent.trim() === {json.dumps(text)})"


@pytest.fixture(scope="module")
def demo_page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The page on what `kilowatch demo` leaves."""
    missing.need(missing.chromium())
    folder: Path = tmp_path_factory.mktemp("walk") / "demo"
    done = CliRunner().invoke(app, ["demo", "--days", "5", "--output", str(folder)])
    assert done.exit_code == 0, done.output
    with served(f"duckdb:///{folder / 'kilowatch.duckdb'}", GENERATED) as address:
        yield address


def test_from_the_overview_to_a_site_its_asset_and_the_alert_that_the_demo_injected(demo_page: str) -> None:
    async def work(tab: Tab) -> None:
        await opened(tab, f"{demo_page}/?language=en")
        assert "All sites" in await tab.evaluate("document.title")
        shown = await tab.evaluate("document.body.innerText")
        assert [site for site in (SITE, OTHER, "machine_builder_pv") if site not in shown] == []

        await tab.click(link(SITE))
        await settled(tab, f"location.pathname === '/d/kw-energy-en' && {DRAWN}", "the energy of the site")
        assert parse_qs(urlsplit(await tab.evaluate("location.href")).query)["var-site"] == [SITE]

        await tab.click("document.getElementById('var-site')")
        await tab.click(named("[role=option]", OTHER))
        await settled(tab, f"location.search.includes('var-site={OTHER}') && {DRAWN}", "another site")
        await tab.click("document.querySelector('[data-testid*=\"TimePicker Open Button\"]')")
        await tab.click(named("label", "Last 24 hours"))
        await settled(tab, f"location.search.includes('from=now-24h') && {DRAWN}", "another range")

        await tab.click(link("chiller-1"))
        await settled(tab, f"location.pathname === '/d/kw-asset-en' && {DRAWN}", "the asset")
        search = parse_qs(urlsplit(await tab.evaluate("location.href")).query)
        assert (search["var-site"], search["var-asset"], search["from"]) == ([OTHER], ["chiller-1"], ["now-24h"])
        assert f"{OTHER}/chiller-1/kw" in await tab.evaluate("document.body.textContent")

        await opened(tab, f"{demo_page}/d/kw-alerts-en?language=en&var-site={OTHER}&from=now-7d&to=now")
        await settled(tab, "document.body.textContent.includes('unusual')", "the alert of the demo")
        assert "evaporators" in await tab.evaluate("document.body.textContent")

    in_browser(work)
