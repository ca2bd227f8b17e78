"""`kilowatch dashboards shot`: pictures of the dashboards, drawn by the page in Chromium without a window."""

from __future__ import annotations

import asyncio
import shutil
import socket
import subprocess
from contextlib import AsyncExitStack
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final
from urllib.parse import urlencode

import typer

from jobs import options
from jobs.bridge_run import listen, now_ms
from jobs.page.chromium import ChromiumError, Tab, chromium
from jobs.page.dashboards import GENERATED, Dashboard, Dashboards
from jobs.page.serve import Folder, store_asker
from jobs.page.service import Service
from jobs.page.web import page_runner
from jobs.say import say
from streams.domain.findings import KilowatchError

SHOT_EPILOG = (
    "Examples: kilowatch dashboards shot --store duckdb:///site.duckdb --out pictures · "
    "kilowatch dashboards shot --store duckdb:///site.duckdb --language zh --theme dark --width 390 --out phone"
)
LOCALES: Final = {"zh": "zh-TW", "en": "en-US"}
DRAWN_S: Final = 60.0
MOST_PIXELS: Final = 16_000
LEAST_HEIGHT: Final = 400
HEIGHT: Final = "Math.ceil(document.getElementById('page').getBoundingClientRect().height)"
DRAWN: Final = "document.documentElement?.dataset.drawn === 'true'"
DRAWN_MS: Final = "performance.getEntriesByName('kilowatch-drawn')[0].startTime"
SETTLED: Final = "new Promise((done) => requestAnimationFrame(() => setTimeout(done, 300)))"
FAILED: Final = "[...document.querySelectorAll('[role=alert]')].map((each) => each.innerText)"


class Theme(StrEnum):
    """The colours of the page."""

    LIGHT = "light"
    DARK = "dark"


@dataclass(frozen=True, slots=True)
class Look:
    """How a picture is taken: its pixels for one of the page, and the zone of whoever looks (None: ours)."""

    scale: float
    time_zone: str | None


def shot(
    store: options.StoreUrl,
    out: Annotated[Path, typer.Option("--out", metavar="FOLDER", help="Where the PNG files go.")],
    dashboard: Annotated[
        list[str] | None, typer.Option("--dashboard", metavar="UID", help="Some of them; by default all.")
    ] = None,
    language: Annotated[
        list[str] | None, typer.Option("--language", help="zh, en; by default each that there is.")
    ] = None,
    theme: Annotated[list[Theme] | None, typer.Option("--theme", help="By default light.")] = None,
    width: Annotated[
        list[int] | None, typer.Option("--width", min=320, max=4_000, help="Pixels; default 1440.")
    ] = None,
    begins: Annotated[str | None, typer.Option("--from", help="Range, as in Grafana: now-7d, or milliseconds.")] = None,
    ends: Annotated[str | None, typer.Option("--to", help="Its end.")] = None,
    variables: Annotated[
        list[str] | None, typer.Option("--var", metavar="NAME=VALUE", help="Values of variables: --var site=depot")
    ] = None,
    time_zone: Annotated[
        str | None, typer.Option("--time-zone", metavar="ZONE", help="Of whoever looks: Asia/Taipei; by default ours.")
    ] = None,
    scale: Annotated[float, typer.Option("--scale", min=0.5, max=4, help="Pixels of the picture for one.")] = 1.0,
    dashboards: Folder = GENERATED,
) -> None:
    """Write pictures of dashboards as UID.LANGUAGE.THEME.WIDTH.png, drawn with Grafana's components.

    Needs Chromium, and for Chinese a font that has it (Debian: chromium, fonts-noto-cjk, fonts-inter). Exit code 1
    where a panel shows an error instead, or the page something else than was asked for.
    """
    found = Dashboards(dashboards)
    pages = _pages(found, language, dashboard)
    _look_for_fonts({spoken for spoken, _ in pages})
    names = {variable.name for _, each in pages for variable in each.variables}
    given = [("from", begins), ("to", ends), *(_variable(each, names) for each in variables or ())]
    wanted = [
        (spoken, each.uid, colours.value, wide)
        for spoken, each in pages
        for colours in theme or [Theme.LIGHT]
        for wide in width or [1_440]
    ]
    out.mkdir(parents=True, exist_ok=True)
    with store_asker(store) as asker:
        search = [(name, value) for name, value in given if value is not None]
        look = Look(scale, time_zone)
        wrong = asyncio.run(_shoot(Service(found, asker, now_ms), wanted, search, look, out))
    if wrong:
        raise typer.Exit(1)


def _pages(found: Dashboards, languages: list[str] | None, uids: list[str] | None) -> list[tuple[str, Dashboard]]:
    """Languages and dashboards that are wanted; KilowatchError for one that is not there."""
    known = found.languages or [""]
    for language in languages or ():
        if language not in known:
            raise KilowatchError(f"--language: expected one of {', '.join(known)}; found {language!r}")
    pages = [(spoken, each) for spoken in languages or known for each in found.of_language(spoken)]
    uids_known = list(dict.fromkeys(each.uid for _, each in pages))
    for uid in uids or ():
        if uid not in uids_known:
            raise KilowatchError(f"--dashboard: expected one of {', '.join(uids_known)}; found {uid!r}")
    return [(spoken, each) for spoken, each in pages if not uids or each.uid in uids]


def _variable(text: str, names: set[str]) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise KilowatchError(f"--var: expected NAME=VALUE such as site=depot; found {text!r}")
    if name not in names:
        raise KilowatchError(f"--var: expected one of {', '.join(sorted(names)) or 'no variable'}; found {name!r}")
    return f"var-{name}", value


def _look_for_fonts(languages: set[str]) -> None:
    """Say what a picture will lack; a machine without fontconfig says nothing of its fonts."""
    program = shutil.which("fc-list")
    if program is None:
        return
    for lacks, pattern, package in (("Chinese", ":lang=zh-tw", "fonts-noto-cjk"), ("Inter", "Inter", "fonts-inter")):
        if lacks == "Chinese" and not any(each.startswith("zh") for each in languages):
            continue
        listed = subprocess.run([program, pattern], capture_output=True, text=True, check=False)  # noqa: S603 - fixed words
        if not listed.stdout.strip():
            say.print(f"no font with {lacks} on this machine; on Debian: apt-get install {package}", soft_wrap=True)


async def _shoot(
    service: Service,
    wanted: list[tuple[str, str, str, int]],
    search: list[tuple[str, str]],
    look: Look,
    out: Path,
) -> int:
    """Take the pictures; returns how many show an error."""
    wrong = 0
    async with AsyncExitStack() as doors:
        port = await _door(doors, service)
        tab = await doors.enter_async_context(chromium())
        for language, uid, theme, width in wanted:
            await tab.place(LOCALES.get(language[:2]), look.time_zone)
            words = urlencode([*search, ("language", language), ("theme", theme)])
            name = ".".join(part for part in (uid, language, theme, str(width), "png") if part)
            drawn_ms, failed = await picture(
                tab, f"http://127.0.0.1:{port}/d/{uid}?{words}", width, look.scale, out / name
            )
            print(out / name)
            say.print(f"{name}: drawn {drawn_ms:,} ms after it was opened", soft_wrap=True)
            for text in failed:
                say.print(f"{name}: {' '.join(text.split())}", soft_wrap=True)
            wrong += bool(failed)
    return wrong


async def _door(doors: AsyncExitStack, service: Service) -> int:
    """Serve the page for this process alone, at a free port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    await listen(doors, page_runner(service, ("127.0.0.1", port)), "shot", ("127.0.0.1", port))
    return port


async def picture(tab: Tab, url: str, width: int, scale: float, file: Path) -> tuple[int, list[str]]:
    """Write the picture of a page as high as it is; returns ms until all was drawn, and the errors that it shows."""
    await tab.size(width, LEAST_HEIGHT * 2, scale)
    await tab.open(url)
    await tab.until(DRAWN, DRAWN_S, "all panels drawn")
    drawn_ms = round(await tab.evaluate(DRAWN_MS))
    height = int(await tab.evaluate(HEIGHT))
    if height > MOST_PIXELS:
        raise ChromiumError(f"{url}: expected a page of at most {MOST_PIXELS} pixels; found {height}")
    await tab.size(width, max(height, LEAST_HEIGHT), scale)
    await tab.evaluate(SETTLED)
    file.write_bytes(await tab.picture())
    return drawn_ms, [str(each) for each in await tab.evaluate(FAILED)]
