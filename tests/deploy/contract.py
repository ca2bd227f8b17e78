"""The live commands as the deployment uses them, and how its files are read."""

from __future__ import annotations

import re
import shlex
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer
import yaml

from jobs.cli import app
from streams.stores.schema import ROLES as SERVER_ROLES

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
COMPOSE = DEPLOY / "compose.yaml"
GROUP = getattr(typer.main.get_command(app), "commands", {})
COMMANDS = {name: GROUP[name] for name in GROUP} | {
    f"alerts {name}": each for name, each in getattr(GROUP["alerts"], "commands", {}).items()
}
"""The commands that this tree has, by name."""

ROLES = {f"KILOWATCH_{role.upper()}_PASSWORD_FILE" for role in SERVER_ROLES}
STORE = {"KILOWATCH_STORE_PASSWORD_FILE"}
KAFKA = {"--kafka-security", "--kafka-user", "--kafka-password-file", "--kafka-mechanism", "--kafka-ca"}
MQTT = {"--mqtt", "--mqtt-password-file", "--mqtt-ca"}
OPTIONS = {
    "migrate": {"--store"},
    "worker": {"--sites", "--store", "--kafka", "--group", "--topics", "--archive", "--metrics"} | KAFKA,
    "bridge": {"--inlets", "--kafka", "--spool", "--http", "--tokens", "--metrics"} | KAFKA | MQTT,
    "run": {"--sites", "--store", "--spool", "--inlets", "--http", "--tokens", "--channels", "--metrics"} | MQTT,
    "alerts deliver": {"--store", "--channels", "--metrics"},
    "alerts list": {"--store"},
}
BESIDE = {
    "migrate": STORE | ROLES,
    "worker": STORE,
    "bridge": set[str](),
    "run": set[str](),
    "alerts deliver": STORE,
    "alerts list": STORE,
}
"""Variables that have no option beside them."""
NEEDED = {
    "migrate": {"--store"},
    "worker": {"--sites", "--store", "--kafka", "--topics", "--archive"},
    "bridge": {"--inlets", "--mqtt", "--kafka", "--spool"},
    "run": {"--sites", "--store", "--spool"},
    "alerts deliver": {"--store", "--channels"},
    "alerts list": {"--store"},
}


@dataclass(frozen=True)
class Start:
    """One start of the command: where it stands, its words and its environment."""

    place: str
    words: tuple[str, ...]
    environment: dict[str, str]


def run(*command: str, **more: Any) -> subprocess.CompletedProcess[str]:
    """Run a program; what it exits with is for the caller to judge."""
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, **more)


def interpolate(text: str, values: dict[str, str]) -> str:
    """Fill in ${NAME:-default} and ${NAME:?message} as compose does; KeyError where a required one is missing."""

    def value(match: re.Match[str]) -> str:
        name, kind, rest = match["name"], match["kind"], match["rest"]
        if values.get(name):
            return values[name]
        if kind != ":-":
            raise KeyError(f"{name}: {rest}")
        return str(rest)

    filled = re.sub(r"\$\{(?P<name>\w+)(?P<kind>:-|:\?)(?P<rest>[^}]*)\}", value, text)
    if re.search(r"(?<!\$)\$[\w{]", filled):
        raise ValueError(f"not understood: {filled}")
    return filled


def compose(values: dict[str, str]) -> dict[str, Any]:
    """The compose file as the engine sees it with these values."""

    def filled(node: Any) -> Any:
        if isinstance(node, dict):
            return {key: filled(item) for key, item in node.items()}
        if isinstance(node, list):
            return [filled(item) for item in node]
        return interpolate(node, values) if isinstance(node, str) else node

    return dict(filled(yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))))


def variables() -> dict[str, str]:
    """Every variable of the compose file with `:?` or `:-`, whichever it stands with."""
    return dict(re.findall(r"\$\{(\w+)(:[-?])", COMPOSE.read_text(encoding="utf-8")))


def unit(path: Path) -> dict[str, list[str]]:
    """The settings of a systemd unit, each with all its values."""
    found: dict[str, list[str]] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        if "=" in line and not line.startswith("#"):
            key, value = line.split("=", 1)
            found.setdefault(key, []).append(value)
    return found


def unit_start(path: Path) -> Start:
    """How a systemd unit starts the command."""
    settings = unit(path)
    (line,) = settings["ExecStart"]
    words = shlex.split(line)
    assert words[0] == "/opt/kilowatch/bin/kilowatch"
    environment = dict(each.split("=", 1) for each in settings.get("Environment", []))
    # What the operator writes into the file, as docs/deploy.md says.
    own = {"run": {"KILOWATCH_MQTT"}, "worker": {"KILOWATCH_STORE", "KILOWATCH_KAFKA"}, "alerts": {"KILOWATCH_STORE"}}
    own["bridge"] = {"KILOWATCH_MQTT", "KILOWATCH_KAFKA"}
    file = "alerts.env" if words[1] == "alerts" else "kilowatch.env"
    assert any(each.endswith(f"/etc/kilowatch/{file}") for each in settings["EnvironmentFile"])
    return Start(path.name, tuple(words[1:]), environment | dict.fromkeys(own[words[1]], "set by the operator"))


def faults(start: Start) -> list[str]:
    """What is wrong with a start of the command: by the list above, and by the command itself where it exists."""
    name, *rest = start.words
    if name == "alerts" and rest:
        name, *rest = f"alerts {rest[0]}", *rest[1:]
    if name not in OPTIONS:
        return [f"{start.place}: no command {name}"]
    given = {word.split("=")[0] for word in rest if word.startswith("--")}
    named = {"--" + key.removeprefix("KILOWATCH_").lower().replace("_", "-"): key for key in start.environment}
    by_variable = {option: key for option, key in named.items() if option in OPTIONS[name]}
    wrong = [f"no option {option}" for option in sorted(given - OPTIONS[name])]
    unknown = set(start.environment) - set(by_variable.values()) - BESIDE[name]
    wrong += [f"no variable {key}" for key in sorted(unknown)]
    wrong += [f"{option} is missing" for option in sorted(NEEDED[name] - given - set(by_variable))]
    if name in COMMANDS:
        real = {option: each for each in COMMANDS[name].params for option in each.opts}
        wrong += [f"the command has no {option}" for option in sorted(given | set(by_variable)) if option not in real]
        for option, key in sorted(by_variable.items()):
            read = getattr(real.get(option), "envvar", None) or ()
            if option in real and key not in ([read] if isinstance(read, str) else read):
                wrong.append(f"the command does not read {key}")
        wrong += [f"no code reads {key}" for key in sorted(BESIDE[name] & set(start.environment)) if not is_read(key)]
    return [f"{start.place}: kilowatch {name}: {each}" for each in wrong]


def is_read(variable: str) -> bool:
    """Whether some code reads a variable: by its name, one with a part in braces, or a name and `_FILE`."""
    bare = variable.removesuffix("_FILE")
    for text in (
        path.read_text(encoding="utf-8") for room in ("jobs", "streams") for path in (ROOT / room).rglob("*.py")
    ):
        named = [re.sub(r"\{[^}]*\}", r"[A-Z]+", name) for name in re.findall(r"\"(KILOWATCH_[\w{}.()]+)\"", text)]
        whole = any(re.fullmatch(name, variable) for name in named)
        if whole or ("_FILE" in text and any(re.fullmatch(name, bare) for name in named)):
            return True
    return False
