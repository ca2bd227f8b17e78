"""The `kilowatch` command: each part of it is imported when it is asked for, which a worker's memory knows."""

from __future__ import annotations

import gc
import importlib
import sys
from collections.abc import Iterator, Mapping
from typing import Any, Final

import typer
from typer.core import TyperGroup

from jobs.say import say
from streams.domain.findings import KilowatchError

GARBAGE: Final = 100_000
"""Objects between two looks for cycles: a batch makes many objects and no cycle."""
COMMANDS: Final = {
    "check": "jobs.check:check",
    "rules": "jobs.rules:group",
    "ingest": "jobs.ingest:ingest",
    "query": "jobs.query:query",
    "serve": "jobs.page.serve:serve",
    "dashboards": "jobs.dashboards:app",
    "replay": "jobs.replay:replay",
    "bill": "jobs.bill:month_bill",
    "train": "jobs.train:train",
    "run": "jobs.run:run",
    "migrate": "jobs.migrate:migrate_store",
    "doctor": "jobs.doctor:doctor",
    "worker": "jobs.worker:worker",
    "bridge": "jobs.bridge:bridge",
    "token": "jobs.token:token",
    "alerts": "jobs.alerts:app",
    "demo": "jobs.demo:demo",
    "simulate": "jobs.simulation.command:simulate_site",
}
"""Commands by name: module and function; the module's EPILOG goes with it, and its HELP and COMMAND_CLASS if any.

What is a typer app of its own is a group of commands.
"""
USAGE: type[Exception] = typer.BadParameter.__mro__[1]
"""click's error about the words of a command."""


class Commands(Mapping[str, Any]):
    """The commands by name."""

    def __getitem__(self, name: str) -> Any:  # noqa: ANN401 - a command of click's, wherever typer keeps it
        """Import one."""
        place, function = COMMANDS[name].split(":")
        module = importlib.import_module(place)
        made = getattr(module, function)
        if isinstance(made, typer.Typer):
            return typer.main.get_command(made)
        alone = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
        kind, text = getattr(module, "COMMAND_CLASS", None), getattr(module, "HELP", None)
        alone.command(name, cls=kind, help=text, epilog=module.EPILOG)(made)
        return typer.main.get_command(alone)

    def __iter__(self) -> Iterator[str]:
        """The names, in the order of the help."""
        return iter(COMMANDS)

    def __len__(self) -> int:
        """How many there are."""
        return len(COMMANDS)


class LateGroup(TyperGroup):
    """A group whose commands are imported when they are asked for."""

    def __init__(self, *given: Any, **named: Any) -> None:  # noqa: ANN401 - typer's
        """Know their names."""
        super().__init__(*given, **named)
        self.commands = Commands()  # type: ignore[assignment]  # it is only read


app = typer.Typer(
    name="kilowatch",
    cls=LateGroup,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="From the telemetry of a site to energy, cost and emissions that an auditor accepts.",
    epilog="Exit codes: 0 done; 1 a finding or a difference; 2 the command cannot be carried out as it was given.",
)


@app.callback()
def kilowatch() -> None:
    """From the telemetry of a site to energy, cost and emissions that an auditor accepts."""


def _usage(error: Any) -> str:  # noqa: ANN401 - click's, wherever typer keeps it
    """What is wrong with the words of a command, in one line; of no words at all, the help."""
    command = error.ctx.command_path if error.ctx else "kilowatch"
    if len(sys.argv) == 1:
        return str(error.ctx.get_help())
    said = " ".join(error.format_message().split()).rstrip(".")
    if not said:
        return ""  # the help of a group, which stands there already
    return f"error: {command}: {said} (see {command} --help)"


def main() -> None:
    """Run the command; a mistake of the user's is one message and exit code 2, never a traceback."""
    gc.set_threshold(GARBAGE)
    try:
        sys.exit(app(standalone_mode=False))
    except KilowatchError as error:
        say.print(f"error: {error}", soft_wrap=True)
        sys.exit(2)
    except USAGE as error:
        say.print(_usage(error), soft_wrap=True)
        sys.exit(2)
    except typer.Abort:
        sys.exit(1)
    except BrokenPipeError:
        sys.exit(0)
    except OSError as error:
        say.print(f"error: {error.filename or ''} {error.strerror}".strip(), soft_wrap=True)
        sys.exit(2)
