"""Versions of models as training asks for them and adds them: of a store, or of the process that holds its file."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from streams.domain.findings import StoreError
from streams.stores.alert_desk import Answer
from streams.stores.models import Trained, add
from streams.stores.store import Store

VERBS: Final = ("latest_models", "add_model")
MOMENTS: Final = ("trained_at", "window_from", "window_until", "validated_until")


class ModelDesk:
    """The versions of a store's models; answers are rows as JSON can hold them."""

    def __init__(self, store: Store, told: Callable[[], None] = lambda: None) -> None:
        """Look at nothing yet; `told` is called after a version was added."""
        self.store, self.told = store, told

    def ask(self, verb: str, asked: dict[str, Any]) -> Answer:
        """See `alert_desk.Desk`."""
        if verb not in VERBS:
            raise StoreError(f"models: expected one of {', '.join(VERBS)}; found {verb!r}")
        answer: Answer = getattr(self, verb)(**asked)
        return answer

    def latest_models(self, *, site: str) -> Answer:
        """The highest version of each asset, with its parameters in base64, null where it only ended one."""
        rows = self.store.rows(
            "select m.asset, m.version, m.parameters, m.active_seq from op.model as m inner join ("
            "select asset, max(version) as version from op.model where site = $1 group by asset) as l "
            "on m.asset = l.asset and m.version = l.version where m.site = $1 order by m.asset",
            [site],
        )
        return [
            {
                "asset": asset,
                "version": version,
                "parameters": None if parameters is None else b64encode(bytes(parameters)).decode(),
                "is_active": active_seq is not None,
            }
            for asset, version, parameters, active_seq in rows
        ]

    def add_model(self, **asked: Any) -> Answer:  # noqa: ANN401 - the fields of Trained as JSON has them
        """Add a version: the fields of `Trained`, moments in ISO 8601, parameters in base64."""
        try:
            given = {name: value and datetime.fromisoformat(value) for name, value in asked.items() if name in MOMENTS}
            parameters = asked.get("parameters")
            made = Trained(**{**asked, **given, "parameters": parameters and b64decode(parameters)})
        except (TypeError, ValueError) as error:
            raise StoreError(f"models: expected the fields of a model; found others: {error}") from error
        version = add(self.store, made)
        self.told()
        return [{"version": version}]


def as_asked(made: Trained) -> dict[str, Any]:
    """What `add_model` is asked for a model."""
    fields = {name: getattr(made, name) for name in Trained.__slots__}
    moments = {name: fields[name] and fields[name].isoformat() for name in MOMENTS}
    return {**fields, **moments, "parameters": made.parameters and b64encode(made.parameters).decode()}
