"""Chromium without a window, driven by its DevTools protocol: opens a page, waits, and takes its picture."""

from __future__ import annotations

import asyncio
import base64
import itertools
import os
import re
import shutil
import signal
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Final

import aiohttp
import orjson

from streams.domain.findings import KilowatchError

NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
VARIABLE: Final = "KILOWATCH_CHROMIUM"
START_S: Final = 60.0
ANSWER_S: Final = 60.0
END_S: Final = 20.0
MOST_BYTES: Final = 256 << 20
OPTIONS: Final = (
    "--headless=new", "--remote-debugging-port=0", "--no-first-run", "--no-default-browser-check", "--disable-gpu",
    "--disable-extensions", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-dev-shm-usage", "--disable-breakpad", "--hide-scrollbars", "--mute-audio", "--force-color-profile=srgb",
)  # fmt: skip
LEFT: Final = re.compile("navigated|context was destroyed|Cannot find (default execution )?context")


class ChromiumError(KilowatchError):
    """Chromium is not there, does not start, or a page does not do what was expected of it."""


class LeftError(ChromiumError):
    """The page that was asked was left for another meanwhile."""


def find_chromium() -> str | None:
    """The program, or None; KILOWATCH_CHROMIUM names it where it has another name."""
    if named := os.environ.get(VARIABLE):
        return shutil.which(named)
    return next((found for name in NAMES if (found := shutil.which(name))), None)


class Tab:
    """One page."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, session: str) -> None:
        """Speak to it by a socket that others share."""
        self._socket, self._session = socket, session
        self._numbers = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self.said: list[str] = []
        """Warnings and errors of the page's console, and what its policy kept from it."""

    def heard(self, message: dict[str, Any]) -> None:
        """Take a message of the browser."""
        waiting = self._waiting.pop(message.get("id", 0), None)
        if waiting is not None and not waiting.done():
            waiting.set_result(message)
        method, told = message.get("method"), message.get("params", {})
        if method == "Runtime.exceptionThrown":
            details = told["exceptionDetails"]
            self.said.append(details.get("exception", {}).get("description") or details["text"])
        elif method == "Runtime.consoleAPICalled" and told["type"] in ("error", "warning", "assert"):
            self.said.append(" ".join(str(each.get("value", each.get("description", ""))) for each in told["args"]))
        elif method == "Log.entryAdded" and told["entry"]["level"] in ("error", "warning"):
            self.said.append(f"{told['entry']['text']} {told['entry'].get('url', '')}".strip())

    async def call(self, method: str, **arguments: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
        """Call a method of the protocol; ChromiumError where it fails or nothing comes."""
        number = next(self._numbers)
        self._waiting[number] = asyncio.get_running_loop().create_future()
        told = {"id": number, "sessionId": self._session, "method": method, "params": arguments}
        await self._socket.send_str(orjson.dumps(told).decode())
        try:
            answer = await asyncio.wait_for(self._waiting[number], ANSWER_S)
        except TimeoutError as error:
            raise ChromiumError(
                f"Chromium: expected an answer to {method} within {ANSWER_S:g} s; found none"
            ) from error
        if "error" in answer:
            said = str(answer["error"].get("message"))
            raise (LeftError if LEFT.search(said) else ChromiumError)(f"Chromium: {method}: {said}")
        return dict(answer["result"])

    async def evaluate(self, script: str) -> Any:  # noqa: ANN401 - JSON
        """The value of an expression in the page, awaited."""
        answer = await self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in answer:
            details = answer["exceptionDetails"]
            raise ChromiumError(f"page: {details.get('exception', {}).get('description') or details['text']}")
        return answer["result"].get("value")

    async def until(self, script: str, limit_s: float, what: str) -> Any:  # noqa: ANN401 - JSON
        """The value of an expression once it is true; ChromiumError where it is not within so many seconds."""
        ends = asyncio.get_running_loop().time() + limit_s
        while not (value := await self._here(script)):
            if asyncio.get_running_loop().time() > ends:
                shown = await self.evaluate("document.body?.innerText.slice(0, 500)")
                raise ChromiumError(f"page: expected {what} within {limit_s:g} s; found: {shown!r} {self.said}")
            await asyncio.sleep(0.05)
        return value

    async def _here(self, script: str) -> Any:  # noqa: ANN401 - JSON
        """The value of an expression; None where the page was just left for another."""
        try:
            return await self.evaluate(script)
        except LeftError:
            return None

    async def size(self, width: int, height: int, scale: float = 1.0) -> None:
        """Be a window of so many pixels; a narrow one is a phone."""
        await self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=scale, mobile=False
        )

    async def place(self, locale: str | None, time_zone: str | None) -> None:
        """Be the browser of a person of a language, somewhere; ChromiumError for a zone that is none."""
        await self.call("Emulation.setLocaleOverride", **({"locale": locale} if locale else {}))
        if locale:
            agent = await self.evaluate("navigator.userAgent")
            await self.call("Emulation.setUserAgentOverride", userAgent=agent, acceptLanguage=locale)
        await self.call("Emulation.setTimezoneOverride", timezoneId=time_zone or "")

    async def open(self, url: str) -> None:
        """Go to an address."""
        answer = await self.call("Page.navigate", url=url)
        if answer.get("errorText"):
            raise ChromiumError(f"page {url}: {answer['errorText']}")

    async def click(self, script: str) -> None:
        """Click the middle of the element that an expression gives, as a person would, once it is there."""
        place = (
            f"(() => {{ const found = {script}; if (!found) return null; found.scrollIntoView({{ block: 'center' }}); "
        )
        place += (
            "const box = found.getBoundingClientRect(); return [box.x + box.width / 2, box.y + box.height / 2]; })()"
        )
        x, y = await self.until(place, ANSWER_S, f"{script}")
        await self.point(x, y)
        for kind in ("mousePressed", "mouseReleased"):
            await self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    async def point(self, x: float, y: float) -> None:
        """Move the pointer."""
        await self.call("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)

    async def picture(self) -> bytes:
        """What the window shows, as PNG."""
        return base64.b64decode((await self.call("Page.captureScreenshot", format="png"))["data"])


@asynccontextmanager
async def chromium() -> AsyncIterator[Tab]:
    """A page of a browser of its own, which ends with it; ChromiumError where there is no Chromium."""
    program = find_chromium()
    if program is None:
        raise ChromiumError(
            f"expected Chromium on PATH ({', '.join(NAMES)}), or {VARIABLE}=/path/to/it; found none; "
            "on Debian: apt-get install chromium"
        )
    with tempfile.TemporaryDirectory(prefix="kilowatch-chromium-") as folder:
        safe = ["--no-sandbox"] if os.geteuid() == 0 else []  # root cannot have its sandbox; it opens our page alone
        process = await asyncio.create_subprocess_exec(
            program, *OPTIONS, *safe, f"--user-data-dir={folder}", "about:blank", env={**os.environ, "TMPDIR": folder},
            stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        try:
            url = await _address(process, Path(folder) / "DevToolsActivePort")
            async with (
                aiohttp.ClientSession() as client,
                client.ws_connect(url, max_msg_size=MOST_BYTES) as socket,
                _tab(socket) as tab,
            ):
                yield tab
        finally:
            await _end(process)


async def _end(process: asyncio.subprocess.Process) -> None:
    """End the browser with all of its helpers, which write to its folder until then."""
    ends = asyncio.get_running_loop().time() + END_S
    with suppress(ProcessLookupError):
        while True:
            os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
            if asyncio.get_running_loop().time() > ends:
                raise ChromiumError(f"Chromium: expected it to end within {END_S:g} s; helpers of it go on")
            await asyncio.sleep(0.02)


async def _address(process: asyncio.subprocess.Process, file: Path) -> str:
    """Where the browser takes commands."""
    ends = asyncio.get_running_loop().time() + START_S
    while asyncio.get_running_loop().time() < ends:
        lines = file.read_text().splitlines() if file.exists() else []
        if len(lines) == 2:
            return f"ws://127.0.0.1:{lines[0]}{lines[1]}"
        if process.returncode is not None:
            raise ChromiumError(f"Chromium: expected it to start; it ended with code {process.returncode}")
        await asyncio.sleep(0.05)
    raise ChromiumError(f"Chromium: expected it to start within {START_S:g} s; found nothing")


@asynccontextmanager
async def _tab(socket: aiohttp.ClientWebSocketResponse) -> AsyncIterator[Tab]:
    async def command(number: int, method: str, **arguments: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
        await socket.send_str(orjson.dumps({"id": number, "method": method, "params": arguments}).decode())
        while (answer := orjson.loads((await socket.receive(ANSWER_S)).data)).get("id") != number:
            continue
        return dict(answer["result"])

    target = (await command(1, "Target.createTarget", url="about:blank"))["targetId"]
    session = (await command(2, "Target.attachToTarget", targetId=target, flatten=True))["sessionId"]
    tab = Tab(socket, session)

    async def listen() -> None:
        async for message in socket:
            if message.type in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY):
                tab.heard(orjson.loads(message.data))

    listening = asyncio.create_task(listen())
    try:
        for domain in ("Page", "Runtime", "Log"):
            await tab.call(f"{domain}.enable")
        yield tab
    finally:
        listening.cancel()
        with suppress(asyncio.CancelledError):
            await listening
