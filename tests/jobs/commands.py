"""The `kilowatch` command many times over, each time in a process of its own, at the cost of a fork.

Its modules are imported once, in a server from which the processes are forked (multiprocessing's forkserver).
"""

from __future__ import annotations

import json
import multiprocessing
import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jobs.cli import COMMANDS
from tests.jobs.bridge_process import until

FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(
    [__name__, "jobs.cli", "jobs.bridge_run", *(place.partition(":")[0] for place in COMMANDS.values())]
)
SITE = Path(__file__).parents[2] / "deploy" / "sites" / "worm_gear_shop.yaml"
SECRET = "not-to-be-told"
"""A password that no output may hold."""
WIDE = {"COLUMNS": "400"}
LIMIT_S = 40.0
"""No command takes longer to say what is wrong: 15 s, and what a busy machine adds."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended: exit code (None: not at all), seconds, standard output, and standard error without JSON."""

    code: int | None
    seconds: float
    out: str
    said: list[str]


class Command:
    """A command that was begun, in `folder`, where its output lands as well."""

    def __init__(self, folder: Path, arguments: Sequence[object], env: Mapping[str, str] | None = None) -> None:
        folder.mkdir(parents=True)
        self.folder, self.out, self.err = folder, folder / "standard.output", folder / "standard.error"
        for file in (self.out, self.err):
            file.touch()
        given = (list(map(str, arguments)), {**WIDE, **(env or {})}, str(folder))
        self.process = FORKS.Process(target=_run, args=given, daemon=True)
        self.begun = time.monotonic()
        self.process.start()

    def ended(self, patience_s: float = LIMIT_S) -> Ended:
        """Wait for its end; it is killed when it takes longer, and has no exit code then."""
        self.process.join(max(0.0, self.begun + patience_s - time.monotonic()))
        seconds, code = time.monotonic() - self.begun, self.process.exitcode
        self.kill()
        said = [line for line in self.err.read_text().splitlines() if not line.startswith("{")]
        return Ended(code, seconds, self.out.read_text(), said)

    def events(self, name: str) -> list[dict[str, Any]]:
        """Lines of its log with this event."""
        lines = self.err.read_text().splitlines(keepends=True)
        logged = [json.loads(line) for line in lines if line.startswith("{") and line.endswith("\n")]
        return [line for line in logged if line["event"] == name]

    def has(self, event: str) -> dict[str, Any]:
        """Wait for a line of its log with this event; fail where the command ends before."""

        def found() -> list[dict[str, Any]]:
            events = self.events(event)
            assert events or self.process.is_alive(), self.err.read_text()
            return events

        return until(found, event)[0]  # type: ignore[no-any-return]

    def stop(self) -> int | None:
        """End it as a service manager would; returns the exit code."""
        self.process.terminate()
        self.process.join(15)
        return self.process.exitcode

    def kill(self) -> None:
        """End it, if it still runs."""
        if self.process.is_alive():
            self.process.kill()
        self.process.join()

    def everything(self) -> str:
        """All that it wrote."""
        return self.out.read_text() + self.err.read_text()


@contextmanager
def begun(
    folder: Path, commands: Mapping[str, Sequence[object]], env: Mapping[str, str] | None = None
) -> Iterator[dict[str, Command]]:
    """Commands side by side, most of which do nothing but wait; none of them outlives the context."""
    with ExitStack() as ends:
        made = {}
        for number, (name, arguments) in enumerate(commands.items()):
            made[name] = Command(folder / f"command{number}", arguments, env)
            ends.callback(made[name].kill)
        yield made


def faults(
    folder: Path,
    cases: Mapping[str, tuple[Sequence[object], str]],
    env: Mapping[str, str] | None = None,
) -> dict[str, object]:
    """How commands fail to tell what is wrong: by exit code 2, in one line with the words expected, and no secret."""
    with begun(folder, {name: arguments for name, (arguments, _) in cases.items()}, env) as commands:
        ends = {name: command.ended() for name, command in commands.items()}
        told = {name for name, command in commands.items() if SECRET in command.everything()}

    def is_well(name: str, end: Ended) -> bool:
        one_line = len(end.said) == 1 and end.said[0].startswith("error: ") and cases[name][1] in end.said[0]
        return end.code == 2 and one_line and name not in told

    return {name: (end, f"not to hold {SECRET}") for name, end in ends.items() if not is_well(name, end)}


def _run(arguments: list[str], env: dict[str, str], folder: str) -> None:
    """Be the command: its words, its environment, its folder, its standard output and error."""
    for name, number in (("output", 1), ("error", 2)):
        file = os.open(f"{folder}/standard.{name}", os.O_WRONLY | os.O_APPEND)
        os.dup2(file, number)
        os.close(file)
    os.environ.update(env)
    os.chdir(folder)
    sys.argv = ["kilowatch", *arguments]
    from jobs.cli import main

    main()
