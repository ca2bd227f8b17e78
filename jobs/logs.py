"""Logs of what runs for long: one JSON object a line on standard error, with `at`, `level`, `event` and fields."""

from __future__ import annotations

import logging
import sys
import time
from datetime import UTC, datetime
from typing import Final

import orjson

LOUD: Final = ("kafka", "aiokafka", "faust", "mode", "aiohttp", "asyncio", "paho")
"""Libraries whose warnings are shown; kafka-python's own say the same each second while a broker is away."""
SELDOM_S: Final = 60.0
SAME_CHARS: Final = 40


class JsonLines(logging.Formatter):
    """A record as one line of JSON; `hidden` are secrets that never come out, wherever they stand."""

    def __init__(self, hidden: frozenset[str] = frozenset()) -> None:
        """`hidden` are passwords and tokens."""
        super().__init__()
        self.hidden = hidden

    def format(self, record: logging.LogRecord) -> str:
        """Write the record."""
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "source": record.name,
            "event": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        text = orjson.dumps(line, default=str, option=orjson.OPT_NON_STR_KEYS).decode()
        for secret in self.hidden:
            text = text.replace(orjson.dumps(secret).decode()[1:-1], "***")
        return text


class Seldom(logging.Filter):
    """Lets a library say the same thing once a minute."""

    def __init__(self) -> None:
        """Begin with nothing said."""
        super().__init__()
        self.said: dict[tuple[str, str], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Tell whether it was not said lately; what is our own is always said."""
        if not record.name.startswith(LOUD):
            return True
        key, now = (record.name, str(record.msg)[:SAME_CHARS]), time.monotonic()
        if now - self.said.get(key, -SELDOM_S) < SELDOM_S:
            return False
        self.said[key] = now
        return True


def start_logs(hidden: frozenset[str] = frozenset(), level: int = logging.INFO) -> None:
    """Write every log as JSON lines to standard error; those of libraries from warnings on."""
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(Seldom())
    handler.setFormatter(JsonLines(frozenset(secret for secret in hidden if secret)))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("kilowatch").setLevel(level)
    for name in LOUD:
        logging.getLogger(name).setLevel(logging.CRITICAL if name == "kafka" else logging.WARNING)
