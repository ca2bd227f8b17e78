"""What the tests of the page share: a store of one simulated site, dashboards to try on, and the page itself."""

from __future__ import annotations

import asyncio
import shutil
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, closing, contextmanager
from pathlib import Path

import pytest

from jobs.bridge_run import listen, now_ms
from jobs.page.asking import LIMIT_S
from jobs.page.dashboards import Dashboards
from jobs.page.serve import store_asker
from jobs.page.service import Service
from jobs.page.web import page_runner
from streams.stores.duckdb import DuckDBStore
from tests.live.harness import ingest, simulated
from tests.servers.ports import LOOPBACK, free_port

BOARDS = Path(__file__).parent / "dashboards"
FROM_MS = 1_767_196_800_000
"""2026-01-01 00:00 in Taipei, when the simulated days begin."""
TO_MS = FROM_MS + 2 * 86_400_000
SITES = ("cold_chain_depot", "machine_builder_pv")


@pytest.fixture(scope="session")
def store_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of two sites and two days, at rest."""
    folder = tmp_path_factory.mktemp("page")
    with closing(DuckDBStore(folder / "page.duckdb")) as store:
        ingest(simulated(folder / "made", 2, SITES), store)
    return folder / "page.duckdb"


@pytest.fixture
def own_store(store_file: Path, tmp_path: Path) -> str:
    """A copy of it: a process opens a file once, and then for all."""
    return f"duckdb:///{shutil.copy(store_file, tmp_path)}"


@contextmanager
def served(url: str, dashboards: Path = BOARDS, *, is_live: bool = False, limit_s: float = LIMIT_S) -> Iterator[str]:
    """The page on a store, in a thread of its own; gives its address, such as `http://127.0.0.1:3000`."""
    port, ready, ending = free_port(), threading.Event(), threading.Event()

    async def run() -> None:
        with store_asker(url) as asker:
            asker.limit_s = limit_s
            async with AsyncExitStack() as doors:
                service = Service(Dashboards(dashboards), asker, now_ms, is_live)
                await listen(doors, page_runner(service, (LOOPBACK, port)), "--listen", (LOOPBACK, port))
                ready.set()
                while not ending.is_set():
                    await asyncio.sleep(0.05)

    with ThreadPoolExecutor(1) as threads:
        running = threads.submit(lambda: asyncio.run(run()))
        running.add_done_callback(lambda _: ready.set())
        assert ready.wait(60)
        try:
            if not running.done():
                yield f"http://{LOOPBACK}:{port}"
        finally:
            ending.set()
            running.result()


@pytest.fixture(scope="session")
def page(store_file: Path) -> Iterator[str]:
    """The page on that store."""
    with served(f"duckdb:///{store_file}") as address:
        yield address
