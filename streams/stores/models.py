"""Models of assets in a store: versions that were trained, the one that is active, and the record of when it became so.

Who trains adds a version; who works off the site's readings finds it wanted, and puts it into use with a record in
`op.control`, whose place among the readings is the truth (ADR 13).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from streams.domain.findings import StoreError
from streams.operators.models.parameters import Model, digest, from_bytes
from streams.operators.models.site_models import Active
from streams.operators.models.watch import ModelState
from streams.stores.store import Store, naive

CONTROL: Final = "model"
"""The kind of a record of control by which a version becomes active."""


@dataclass(frozen=True, slots=True)
class Trained:
    """A model as it was trained (moments in UTC): on which window, on which later one it was looked at, and what came.

    `metrics` is JSON. Without `parameters` it only ends the model before.
    """

    site: str
    asset: str
    point: str
    trained_at: datetime
    metrics: str
    window_from: datetime | None = None
    window_until: datetime | None = None
    validated_until: datetime | None = None
    data_sha256: str | None = None
    parameters: bytes | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """A version that is to become active."""

    site: str
    asset: str
    version: int
    model: Model | None

    @property
    def detail(self) -> str:
        """How the record of control names it."""
        return f"{self.version} {self.asset}"


def named(detail: str) -> tuple[str, int]:
    """Asset and version in the detail of a record."""
    version, _, asset = detail.partition(" ")
    return asset, int(version)


def add(store: Store, made: Trained) -> int:
    """Store a new version, which is wanted from now on; return its number."""
    with store.transaction():
        store.alone(f"models of {made.site}")
        known = "select coalesce(max(version), 0) from op.model where site = $1 and asset = $2"
        version = int(store.rows(known, [made.site, made.asset])[0][0]) + 1
        spans = [made.window_from, made.window_until, made.validated_until]
        store.execute(
            "insert into op.model (site, asset, version, point, trained_at, window_from, window_until, "
            "validated_until, data_sha256, parameters_sha256, parameters, metrics) "
            "values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
            [
                *(made.site, made.asset, version, made.point, naive(made.trained_at)),
                *(each and naive(each) for each in spans),
                made.data_sha256,
                made.parameters and digest(made.parameters),
                *(made.parameters, made.metrics),
            ],
        )
    return version


def wanted(store: Store, site: str | None = None) -> list[Wanted]:
    """The highest version of each asset that is not active yet, of one site or of all."""
    rows = store.rows(
        "select m.site, m.asset, max(m.version) from op.model as m "
        "left join op.model_state as s on m.site = s.site and m.asset = s.asset "
        "where m.active_seq is null and m.version > coalesce(s.version, 0) "
        "and (cast($1 as varchar) is null or m.site = $1) "
        "group by m.site, m.asset order by m.site, m.asset",
        [site],
    )
    return [Wanted(of, asset, version, load(store, of, asset, version)) for of, asset, version in rows]


def load(store: Store, site: str, asset: str, version: int) -> Model | None:
    """A version's parameters, none of one that only ended the one before; StoreError where they were changed."""
    rows = store.rows(
        "select parameters, parameters_sha256 from op.model where site = $1 and asset = $2 and version = $3",
        [site, asset, version],
    )
    if not rows:
        raise StoreError(f"store {store.where}: expected version {version} of the model of {site}/{asset}; found none")
    content, known = rows[0]
    if content is None:
        return None
    if (found := digest(bytes(content))) != known:
        raise StoreError(
            f"store {store.where}: version {version} of the model of {site}/{asset}: expected parameters with SHA-256 "
            f"{known}; found {found}; somebody has changed them: train it anew"
        )
    return from_bytes(bytes(content))


def copied(store: Store, site: str, detail: str, into: Store) -> None:
    """Put the version that a record names into another store, as a replay needs it there."""
    asset, version = named(detail)
    columns = (
        "site, asset, version, point, trained_at, window_from, window_until, validated_until, data_sha256, "
        "parameters_sha256, parameters, metrics"
    )
    of = "where site = $1 and asset = $2 and version = $3"
    for row in store.rows(f"select {columns} from op.model {of}", [site, asset, version]):  # noqa: S608 - our own words
        places = ", ".join(f"${nth + 1}" for nth in range(len(row)))
        into.execute(f"insert into op.model ({columns}) values ({places})", list(row))  # noqa: S608 - likewise


def active(store: Store, site: str) -> dict[str, Active]:
    """The active models of a site by asset, with what they remember."""
    rows = store.rows("select asset, version, content from op.model_state where site = $1 order by asset", [site])
    return {
        asset: Active(version, load(store, site, asset, version), ModelState.from_bytes(bytes(content)))
        for asset, version, content in rows
    }


def note_active(store: Store, each: Wanted, seq: int, moment: datetime) -> None:
    """Note inside the caller's transaction from which reading on a version is active, and since when."""
    store.execute(
        "update op.model set active_seq = $1, active_at = $2 where site = $3 and asset = $4 and version = $5",
        [seq, naive(moment), each.site, each.asset, each.version],
    )
