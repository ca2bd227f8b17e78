"""`kilowatch serve`: the dashboards in a browser, on a store at rest."""

from __future__ import annotations

import asyncio
import signal
import webbrowser
from collections.abc import Iterator
from contextlib import AsyncExitStack, closing, contextmanager
from pathlib import Path
from typing import Annotated, Final

import typer

from jobs import options
from jobs.bridge_run import address_of, listen, now_ms
from jobs.opening import is_server
from jobs.page.asking import Asker, FileConnection, ServerConnection, asker_of
from jobs.page.dashboards import GENERATED, Dashboards
from jobs.page.service import Service
from jobs.page.web import check_address, page_runner
from jobs.say import say
from streams.domain.findings import StoreHeldError
from streams.stores.duckdb import DuckDBStore, path_of

EPILOG = (
    "Examples: kilowatch serve --store duckdb:///site.duckdb --open · "
    "kilowatch serve --store postgresql://kilowatch_reader@127.0.0.1/kilowatch --listen 127.0.0.1:3001"
)
LISTEN: Final = "127.0.0.1:3000"

Folder = Annotated[
    Path,
    typer.Option(
        "--dashboards", metavar="FOLDER", envvar="KILOWATCH_DASHBOARDS", help="Dashboards as LANGUAGE/UID.json."
    ),
]
Public = Annotated[
    list[str] | None,
    typer.Option(
        "--public",
        metavar="NAME",
        help="Let other machines in, who reach it by this name. Nobody is asked for a password.",
    ),
]


def serve(
    store: options.StoreUrl,
    address: Annotated[
        str, typer.Option("--listen", metavar="HOST:PORT", envvar="KILOWATCH_LISTEN", help="Where browsers find it.")
    ] = LISTEN,
    is_opened: Annotated[bool, typer.Option("--open", help="Open it in the browser of this machine.")] = False,
    dashboards: Folder = GENERATED,
    public: Public = None,
) -> None:
    """Show the dashboards in a browser, on a store at rest: no Grafana is needed.

    They are drawn with Grafana's components from the same files that Grafana loads. The page reads and never writes.
    A file that `kilowatch run` holds is shown by `kilowatch run --page`. Where the newest interval of a store is more
    than a day old, the page takes its end for now.
    """
    place = address_of(address, "--listen") or ("127.0.0.1", 0)
    check_address("--listen", place[0], public or ())
    found = Dashboards(dashboards)
    with store_asker(store) as asker:
        asyncio.run(_serve(Service(found, asker, now_ms), place, public or (), is_opened=is_opened))


@contextmanager
def store_asker(url: str) -> Iterator[Asker]:
    """An asker of a store at rest, which nobody can change by it."""
    if is_server(url):
        with asker_of(lambda: ServerConnection(url)) as asker:
            yield asker
        return
    try:
        store = DuckDBStore(path_of(url), read_only=True)
    except StoreHeldError as error:
        raise StoreHeldError(f"{error}; or let it show the page: kilowatch run --page {LISTEN}") from error
    with closing(store), asker_of(lambda: FileConnection(store)) as asker:
        yield asker


async def _serve(service: Service, place: tuple[str, int], public: list[str] | tuple[()], *, is_opened: bool) -> None:
    loop, stopping = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    async with AsyncExitStack() as doors:
        await listen(doors, page_runner(service, place, public), "--listen", place)
        host = f"[{place[0]}]" if ":" in place[0] else place[0]
        url = f"http://{host}:{place[1]}/"
        say.print(f"the dashboards: {url} (end with Ctrl-C)", soft_wrap=True)
        if is_opened and not await asyncio.to_thread(webbrowser.open, url):
            say.print("no browser was found on this machine; open that address yourself", soft_wrap=True)
        await stopping.wait()
