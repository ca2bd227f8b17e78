"""`kilowatch rules`: rules over what a site has stored, before anybody is woken by them."""

from __future__ import annotations

import tempfile
from datetime import date, datetime, time
from math import isnan
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from jobs import options
from jobs.opening import opened
from jobs.say import progress_bar, say
from streams.catalog.rule_kinds import SILENCE, kinds
from streams.catalog.site import load_rules, load_site
from streams.catalog.source import nearest
from streams.domain.alerts import Episode, Rule
from streams.domain.findings import KilowatchError
from streams.domain.site import Site
from streams.operators.sentences import amount, span
from streams.runners.trial import Trial, try_rules

EPILOG = "Example: kilowatch rules test --site site.yaml --store duckdb:///site.duckdb --rules tried.yaml"
LAST_DAY = date(2200, 1, 1)

group = typer.Typer(add_completion=False, pretty_exceptions_enable=False, epilog=EPILOG)


@group.callback()
def rules() -> None:
    """Rules of a site: their kinds, and what they would have told."""


@group.command("test", epilog=EPILOG)
def test_rules(
    site: Annotated[Path, typer.Option("--site", metavar="SITE.yaml", help="The site's catalog file.")],
    store: options.StoreUrl,
    begins: Annotated[datetime | None, typer.Option("--from", help="First local day.", formats=["%Y-%m-%d"])] = None,
    to: Annotated[datetime | None, typer.Option("--to", help="Day after the last.", formats=["%Y-%m-%d"])] = None,
    rule: Annotated[str | None, typer.Option("--rule", metavar="NAME", help="Only this rule.")] = None,
    rules_file: Annotated[
        Path | None, typer.Option("--rules", metavar="RULES.yaml", help="Rules to try in place of the site's.")
    ] = None,
    archive: options.ArchiveFolder = None,
) -> None:
    """Run rules over the stored readings and say how often each would have fired, and for how long.

    Everything that the site has archived goes through, since rules learn from what came before; episodes count that
    open from --from on and before --to. Nothing is sent.
    """
    loaded = load_site(site)
    found = _rules(loaded, site, rule, rules_file)
    window = [
        datetime.combine(day.date() if day else default, time.min, tzinfo=loaded.time_zone)
        for day, default in ((begins, loaded.starts_on), (to, LAST_DAY))
    ]
    with opened(store, read_only=True) as kept, tempfile.TemporaryDirectory() as folder, progress_bar("readings") as on:
        scratch = Path(folder) / "scratch.duckdb"
        trial = try_rules(loaded, found, kept, scratch, (window[0], window[1]), on, archive)
    Console(highlight=False, markup=False).print(_table(loaded, found, trial))
    if not trial.ticks and any(each.kind == SILENCE or each.remind_ms or each.escalate_ms for each in found):
        say.print("note: no ticks are recorded in this store, as none are of files: silence, reminders need a live one")
    say.print(f"{loaded.name}: {trial.readings:,} readings, {trial.ticks:,} ticks, {len(trial.episodes)} episodes")


@group.command("kinds", epilog=EPILOG)
def list_kinds() -> None:
    """List the kinds of rules, with their roles and numbers."""
    table = Table(title="kinds of rules", title_justify="left", show_lines=True)
    for name in ("kind", "what it sees", "looks at", "numbers"):
        table.add_column(name)
    for name, kind in sorted(kinds().items()):
        roles = [*kind.roles, *(f"[{each}]" for each in kind.optional)]
        looks = "the site" if kind.of_site else "roles: " + ", ".join(roles) if roles else "points"
        numbers = [_number(key, default, kind.texts.get(key, "")) for key, default in kind.numbers.items()]
        table.add_row(name, f"{kind.what.en}\n{kind.what.zh}", looks, "\n".join(numbers))
    Console(highlight=False, markup=False).print(table)


def _number(name: str, default: float | None, text: str) -> str:
    shown = " (required)" if default is None else "" if isnan(default) else f" = {default:g}"
    return f"{name}{shown}: {text}"


def _rules(loaded: Site, site: Path, name: str | None, file: Path | None) -> tuple[Rule, ...]:
    """The rules to try; KilowatchError where there are none."""
    found = load_rules(file, site) if file else loaded.rules
    if not found:
        raise KilowatchError(f"{file or site}: expected rules; found none (name a file of them with --rules)")
    if name is None:
        return found
    chosen = tuple(each for each in found if each.name == name)
    if not chosen:
        known = [each.name for each in found]
        hint = nearest(name, known)
        raise KilowatchError(
            f"{file or site}: --rule: expected one of {', '.join(known)}; found {name}"
            + (f" (did you mean {hint!r}?)" if hint else "")
        )
    return chosen


def _table(loaded: Site, rules: tuple[Rule, ...], trial: Trial) -> Table:
    table = Table(title=f"{loaded.name}: what the rules would have told", title_justify="left")
    for name in ("rule", "kind", "times", "open", "first", "last", "longest", "worst"):
        table.add_column(
            name, justify="right" if name in ("times", "open", "longest", "worst") else "left", overflow="fold"
        )
    for rule in rules:
        mine = [each for each in trial.episodes if each.rule == rule.name]
        lasted = [_lasted(each, trial.until_ms) for each in mine]
        when = [datetime.fromtimestamp(each.opened_ms / 1000, tz=loaded.time_zone) for each in mine]
        table.add_row(
            rule.name,
            rule.kind,
            f"{len(mine):,}",
            span(sum(lasted)).en if mine else "",
            f"{when[0]:%Y-%m-%d %H:%M}" if mine else "",
            f"{when[-1]:%Y-%m-%d %H:%M}" if mine else "",
            span(max(lasted)).en if mine else "",
            _worst(mine),
        )
    return table


def _lasted(episode: Episode, until_ms: int) -> int:
    return max(0, (until_ms if episode.closed_ms is None else episode.closed_ms) - episode.opened_ms)


def _worst(episodes: list[Episode]) -> str:
    known = [each for each in episodes if not isnan(each.worst)]
    if not known:
        return ""
    worst = max(known, key=lambda each: abs(each.worst - each.limit))
    return amount(worst.worst, worst.unit)
