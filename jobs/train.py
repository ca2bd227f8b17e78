"""`kilowatch train`: models of assets from the store, validated on later data, activated where they do better."""

from __future__ import annotations

import importlib
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from jobs import options
from jobs.opening import is_server, need_file, opened
from jobs.say import say
from jobs.simulation.command import console
from jobs.training.choice import UntrainableError, choose
from jobs.training.data import Data, Series, gathered, read
from jobs.training.judge import Verdict, judge
from jobs.training.report import compared
from streams.catalog.site import load_site
from streams.catalog.source import nearest
from streams.domain.findings import KilowatchError, StoreError, StoreHeldError
from streams.domain.site import PointKind, Site
from streams.operators.models.parameters import Model, from_bytes, to_bytes
from streams.runners.box import copy_of
from streams.runners.control import RemoteDesk
from streams.stores.alert_desk import Desk
from streams.stores.duckdb import DuckDBStore, path_of
from streams.stores.model_desk import ModelDesk, as_asked
from streams.stores.models import Trained
from streams.stores.store import Store

EPILOG = (
    "Examples: kilowatch train site.yaml --store duckdb:///site.duckdb --compare · kilowatch train site.yaml "
    "--store duckdb:///site.duckdb --asset chiller-1 --input chilled-room/temp · kilowatch train site.yaml "
    "--store duckdb:///site.duckdb --asset chiller-1 --stop"
)
LAST_DAY = datetime(2200, 1, 1)  # noqa: DTZ001 - a local day


@dataclass(frozen=True, slots=True)
class Latest:
    """The highest version of an asset's model; no model where it ended one."""

    version: int
    model: Model | None


@dataclass(frozen=True, slots=True)
class Work:
    """What one call trains: the site, where its data are, its versions, the window and the begin of validation."""

    site: Site
    data: Store
    desk: Desk
    begins: datetime
    ends: datetime
    later_from_ms: int | None
    more: tuple[str, ...]
    accept: bool


def train(
    site: options.SiteFile,
    store: options.StoreUrl,
    asset: Annotated[list[str] | None, typer.Option("--asset", help="Only this one; may be repeated.")] = None,
    more: Annotated[
        list[str] | None,
        typer.Option("--input", metavar="POINT", help="Explain it by this point, too; needs one --asset."),
    ] = None,
    begins: Annotated[datetime | None, typer.Option("--from", help="First local day.", formats=["%Y-%m-%d"])] = None,
    until: Annotated[datetime | None, typer.Option("--until", help="Day after the last.", formats=["%Y-%m-%d"])] = None,
    validate_from: Annotated[
        datetime | None,
        typer.Option(
            "--validate-from", help="Validate from this day on; by default the last quarter.", formats=["%Y-%m-%d"]
        ),
    ] = None,
    compare: Annotated[bool, typer.Option("--compare", help="Show old beside new; change nothing.")] = False,
    accept: Annotated[
        bool, typer.Option("--accept", help="Replace a model that alarms: what it alarms about is normal.")
    ] = False,
    stop: Annotated[bool, typer.Option("--stop", help="End the model of --asset; train nothing.")] = False,
) -> None:
    """Fit a model to each asset: a regression of its power on states, temperatures and production, and a forest.

    It is fitted to the first three quarters of what the store knows of the window and validated on the rest. One that
    does worse there than the active one does not replace it. A running pipeline puts a new one into use by itself.
    """
    loaded = load_site(site)
    assets = _assets(loaded, site, asset or [])
    if more and len(assets) != 1:
        raise typer.BadParameter("--input needs one --asset")
    if begins and until and begins >= until:
        raise typer.BadParameter("--from: expected a day before --until")
    need_file(store)
    if stop and not asset:
        raise typer.BadParameter("--stop needs --asset")
    if not stop:
        _fitting()

    def moment(day: datetime | None, default: datetime) -> datetime:
        return datetime.combine((day or default).date(), time.min, tzinfo=loaded.time_zone)

    later_ms = int(moment(validate_from, LAST_DAY).timestamp() * 1000) if validate_from else None
    first = datetime.combine(loaded.starts_on, time.min)
    with _source(store, read_only=compare) as (data, desk):
        latest = _latest(desk, loaded.name)
        if stop:
            _stop(desk, loaded, assets, latest)
            return
        work = Work(
            loaded, data, desk, moment(begins, first), moment(until, LAST_DAY), later_ms, tuple(more or ()), accept
        )
        found = [_trained(work, each, latest.get(each), keep=not compare, is_named=bool(asset)) for each in assets]
    raise typer.Exit(0 if any(found) and None not in found else 1)


def _trained(work: Work, asset: str, latest: Latest | None, *, keep: bool, is_named: bool) -> bool | None:
    """Train one asset's model; True where it is fit for use, False where it cannot have one, None where it is refused.

    With `keep` a model that is fit for use becomes the asset's next version.
    """
    active = latest.model if latest else None
    try:
        data, series = _read(work, asset, active)
    except UntrainableError as error:
        said = "cannot be trained" if is_named else "no model"
        say.print(f"{asset}: {said}: {error}", soft_wrap=True)
        return False
    for line in data.left_out:
        say.print(f"{asset}: left out: {line}", soft_wrap=True)
    fitted: Model = _fitting().fit(data).model
    verdict = judge(fitted, data, active, series, accept=work.accept)
    point = data.choice.target
    unit = point.unit if point.kind is PointKind.POWER else f"{point.unit}/h".replace("kWh/h", "kW")
    console().print(compared(data, verdict, unit, latest.version if latest and active else None))
    if verdict.refusal:
        say.print(f"{asset}: the new model is not used: {verdict.refusal}", soft_wrap=True)
        return None
    if not keep:
        say.print(f"{asset}: the new model may be used; nothing was changed", soft_wrap=True)
        return True
    version = work.desk.ask("add_model", as_asked(_row(work.site, fitted, data, verdict)))[0]["version"]
    instead = f" in place of version {latest.version}" if latest and active else ""
    say.print(f"{asset}: version {version} is trained and will be used{instead}", soft_wrap=True)
    return True


def _read(work: Work, asset: str, active: Model | None) -> tuple[Data, Series]:
    """The windows to fit a model to, and the points of it and of the active one."""
    choice = choose(work.site, asset, work.more)
    by_name = {point.name: point for point in work.site.points}
    others = [by_name[name] for name in (active.points if active else ()) if name in by_name]
    every = dict.fromkeys((choice.target, *choice.inputs, *choice.states, *others))
    states = [point for point in every if point.kind is PointKind.STATE]
    series = read(work.data, [point for point in every if point not in states], states, work.begins, work.ends)
    return gathered(choice, series, work.later_from_ms), series


def _row(site: Site, model: Model, data: Data, verdict: Verdict) -> Trained:
    """What is kept of a new model."""
    metrics: dict[str, Any] = {"training_windows": len(data.training), "validation": verdict.new.plain()}
    if verdict.old:
        metrics["replaced"] = verdict.old.plain()
    first, last = data.training.starts_ms[0], data.later.starts_ms[-1] + model.period_ms
    moments = [_moment(int(each)) for each in (first, data.later.starts_ms[0], last)]
    return Trained(
        site=site.name,
        asset=model.asset,
        point=model.target,
        trained_at=datetime.now(UTC),
        metrics=orjson.dumps(metrics, option=orjson.OPT_SORT_KEYS).decode(),
        window_from=moments[0],
        window_until=moments[1],
        validated_until=moments[2],
        data_sha256=data.sha256,
        parameters=to_bytes(model),
    )


def _moment(time_ms: int) -> datetime:
    return datetime.fromtimestamp(time_ms / 1000, UTC)


def _stop(desk: Desk, site: Site, assets: list[str], latest: dict[str, Latest]) -> None:
    for asset in assets:
        known = latest.get(asset)
        if known is None or known.model is None:
            raise KilowatchError(f"train: --stop: expected an asset with a model; found {asset!r}, which has none")
        made = Trained(site.name, asset, known.model.target, datetime.now(UTC), "{}")
        version = desk.ask("add_model", as_asked(made))[0]["version"]
        say.print(f"{asset}: version {version} ends the model; it is scored by none", soft_wrap=True)


def _latest(desk: Desk, site: str) -> dict[str, Latest]:
    return {
        row["asset"]: Latest(row["version"], row["parameters"] and from_bytes(b64decode(row["parameters"])))
        for row in desk.ask("latest_models", {"site": site})
    }


def _assets(site: Site, file: Path, names: list[str]) -> list[str]:
    known = [each.name for each in site.assets]
    for name in names:
        if name not in known:
            hint = nearest(name, known)
            raise KilowatchError(
                f"{file}: --asset: expected one of {', '.join(known)}; found {name!r}"
                + (f" (did you mean {hint!r}?)" if hint else "")
            )
    return names or known


@contextmanager
def _source(url: str, *, read_only: bool) -> Iterator[tuple[Store, Desk]]:
    """Where the data are, and the desk of the versions: a store, or the copy and the process that holds the file."""
    try:
        with opened(url, read_only=read_only) as kept:
            yield kept, ModelDesk(kept)
    except StoreHeldError:
        if is_server(url):
            raise
        with _beside(path_of(url)) as found:
            yield found


@contextmanager
def _beside(file: Path) -> Iterator[tuple[Store, Desk]]:
    """The daily copy of a file that another process holds, and that process."""
    desk = RemoteDesk(file)
    copy = copy_of(file)
    if not copy.exists():
        raise StoreError(f"store {file}: another process holds it, and has made no copy yet ({copy}); try again later")
    kept = DuckDBStore(copy, read_only=True)
    try:
        say.print(f"data: {copy}, the copy that the process which holds {file} made last", soft_wrap=True)
        yield kept, desk
    finally:
        kept.close()


def _fitting() -> Any:  # noqa: ANN401 - the module that knows scikit-learn
    """The fit, where scikit-learn is there; KilowatchError says how to get it."""
    try:
        return importlib.import_module("jobs.training.fit")
    except ImportError as error:
        raise KilowatchError(
            f"train: expected scikit-learn, which training alone needs; found: {error}; install it with: "
            "pip install 'kilowatch[train]', or from requirements/train.txt"
        ) from error
