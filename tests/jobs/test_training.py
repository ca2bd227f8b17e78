"""Models as they are trained: what scikit-learn says is what the plain parameters say, and worse does not replace."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.training import trial
from jobs.training.choice import UntrainableError, choose
from jobs.training.data import DAY_MS, Data, Series, gathered
from jobs.training.fit import Fitted, average_path, calibrated, fit
from jobs.training.judge import Verdict, judge, measured
from streams.catalog.site import load_site
from streams.domain.findings import KilowatchError
from streams.domain.site import PointKind, Site
from streams.operators.models import scoring
from streams.operators.models.parameters import Model, digest, from_bytes, to_bytes
from streams.operators.models.windows import Changes, Parts

SITES = Path(__file__).parents[2] / "deploy" / "sites"
WORM = trial.MACHINES["worm cutter, by state and parts"]
CHILLER = trial.MACHINES["chiller, by outdoor and room temperature"]


def between(series: Series, begin: int, end: int) -> Series:
    """The days from `begin` up to `end`."""
    first = min(int(each.starts_ms[0]) for each in series.parts.values())
    day = {name: (each.starts_ms - first) // DAY_MS for name, each in series.parts.items()}
    return Series(
        {name: each.take((day[name] >= begin) & (day[name] < end)) for name, each in series.parts.items()},
        series.changes,
    )


def scaled(series: Series, target: str, factor: float, from_day: int) -> Series:
    """The same with the target times a factor from a day on."""
    mine = series.parts[target]
    day = (mine.starts_ms - mine.starts_ms[0]) // DAY_MS
    changed = replace(mine, mean=np.where(day >= from_day, factor * mine.mean, mine.mean))
    return Series({**series.parts, target: changed}, series.changes)


@pytest.fixture(scope="module", params=["worm", "chiller"])
def made(request: pytest.FixtureRequest) -> tuple[Data, Series, Fitted]:
    choice, series = trial.simulated(WORM if request.param == "worm" else CHILLER, 1)
    known = between(series, 0, 40)
    data = gathered(choice, known)
    return data, known, fit(data)


def test_the_plain_regression_says_what_scikit_learn_says(made: tuple[Data, Series, Fitted]) -> None:
    data, _, fitted = made
    model = from_bytes(to_bytes(fitted.model))
    for windows in (data.training, data.later):
        columns = scoring.columns(model.terms, windows.features)
        theirs = fitted.regression.predict(fitted.scaler.transform(columns))
        ours = scoring.expected(model, windows.features)
        assert np.abs(ours - theirs).max() < 1e-9 * max(1, np.abs(theirs).max())


def test_the_plain_forest_says_what_scikit_learn_says(made: tuple[Data, Series, Fitted]) -> None:
    data, _, fitted = made
    model = from_bytes(to_bytes(fitted.model))
    chance = np.random.default_rng(3)
    rows = np.column_stack((data.later.value, data.later.features))
    odd = chance.uniform(rows.min() - 50, rows.max() + 50, (500, rows.shape[1]))
    for some in (rows, odd):
        theirs = fitted.forest.score_samples(some.astype(np.float32))
        trees, samples = len(model.forest.feature), fitted.forest.max_samples_
        ours = -(2.0 ** (-scoring.isolation(model.forest, some) / (trees * average_path(samples))))
        assert np.abs(ours - theirs).max() < 1e-12


@given(st.integers(1, 10_000))
def test_the_mean_path_is_that_of_scikit_learn(samples: int) -> None:
    from sklearn.ensemble._iforest import _average_path_length

    assert average_path(samples) == pytest.approx(float(_average_path_length([samples])[0]), abs=1e-12)


def test_the_same_data_give_the_same_parameters_and_hash(made: tuple[Data, Series, Fitted]) -> None:
    data, known, fitted = made
    again = gathered(data.choice, known)
    assert again.sha256 == data.sha256
    assert digest(to_bytes(fit(again).model)) == digest(to_bytes(fitted.model))
    other = gathered(data.choice, scaled(known, data.choice.target.name, 1.001, 39))
    assert other.sha256 != data.sha256


def test_training_sees_nothing_of_the_later_windows(made: tuple[Data, Series, Fitted]) -> None:
    data, known, fitted = made
    other = fit(gathered(data.choice, scaled(known, data.choice.target.name, 3.0, 30))).model
    for name in ("intercept", "coefficients", "lowest", "highest"):
        assert np.array_equal(getattr(other, name), getattr(fitted.model, name))
    assert np.array_equal(other.forest.threshold, fitted.model.forest.threshold)
    assert data.training.starts_ms.max() < data.later.starts_ms.min()


def test_a_model_is_validated_on_what_it_was_not_trained_on(made: tuple[Data, Series, Fitted]) -> None:
    data, _, fitted = made
    found = measured(fitted.model, data.later, data.later.is_known, own=1)
    error = data.later.value - scoring.expected(fitted.model, data.later.features)
    told = np.isfinite(
        scoring.score(fitted.model, 0.0, data.later.value, data.later.features, data.later.is_other).score
    )
    assert found.windows == told.sum()
    assert found.mae == pytest.approx(np.abs(error[told]).mean())
    free = told.sum() - 1
    mean = data.later.value[told].mean()
    assert found.cv_rmse_percent == pytest.approx(100 * np.sqrt((error[told] ** 2).sum() / free) / mean)
    assert found.nmbe_percent == pytest.approx(100 * error[told].sum() / (free * mean))
    assert found.r2 > 0.2
    assert found.alarm_share < 0.01
    calibration = fitted.model.calibration
    inside = (error[told] >= calibration.lower) & (error[told] <= calibration.upper)
    assert inside.mean() == pytest.approx(0.99, abs=0.005)


def refused(data: Data, series: Series, active: Model | None, *, accept: bool = False) -> Verdict:
    return judge(fit(data).model, data, active, series, accept=accept)


def test_a_model_that_does_worse_does_not_replace_one_that_does_better(made: tuple[Data, Series, Fitted]) -> None:
    data, known, fitted = made
    assert refused(data, known, None).refusal == ""
    assert refused(data, known, fitted.model).refusal == ""  # as good as itself
    worse = replace(fitted.model, intercept=fitted.model.intercept + 0.05 * float(data.later.value.mean()))
    verdict = judge(worse, data, fitted.model, known, accept=True)
    assert "it does worse than the active one: root mean square error" in verdict.refusal
    assert verdict.old is not None
    assert verdict.new.rmse > verdict.old.rmse
    assert verdict.new.windows == verdict.old.windows
    better = judge(fitted.model, data, replace(worse, calibration=calibrated(worse, data.later)), known, accept=True)
    assert better.refusal == ""


def test_what_the_active_model_alarms_about_does_not_become_normal_unless_that_is_accepted() -> None:
    choice, series = trial.simulated(WORM, 1)
    old = fit(gathered(choice, between(series, 0, 40))).model
    faulty = between(scaled(series, choice.target.name, 1.15, 60), 45, 100)
    data = gathered(choice, faulty)
    verdict = judge(fit(data).model, data, old, faulty, accept=False)
    assert "the active one alarms on" in verdict.refusal
    assert "give --accept" in verdict.refusal
    assert judge(fit(data).model, data, old, faulty, accept=True).refusal == ""


def test_an_active_model_whose_points_are_gone_is_not_compared(made: tuple[Data, Series, Fitted]) -> None:
    data, known, fitted = made
    verdict = judge(fitted.model, data, replace(fitted.model, inputs=("site/gone",)), known, accept=False)
    assert (verdict.old, verdict.refusal) == (None, "")


def test_a_model_that_explains_nothing_is_not_used() -> None:
    choice, series = trial.simulated(CHILLER, 1)
    chance, known = np.random.default_rng(1), between(series, 0, 40)
    noise = {
        name: replace(each, mean=chance.normal(size=len(each))) if name != choice.target.name else each
        for name, each in known.parts.items()
    }
    nothing = Series(noise, known.changes)
    assert "explains later data no better than their mean" in refused(gathered(choice, nothing), nothing, None).refusal


def test_a_simulated_compressor_that_draws_15_percent_more_at_the_same_lift_is_found() -> None:
    found = trial.tried(CHILLER, 201)
    assert found.false_episodes == 0
    assert found.days[1.15] < 3
    assert found.share[1.15] > 0.4


def site(name: str) -> Site:
    return load_site(SITES / f"{name}.yaml")


def test_an_asset_is_explained_by_its_own_points_and_by_temperatures_above_it_but_never_by_energy() -> None:
    shop = choose(site("worm_gear_shop"), "worm-cutter")
    assert shop.target.name == "worm_gear_shop/worm-cutter/kwh"
    assert [point.name for point in shop.inputs] == ["worm_gear_shop/worm-cutter/parts"]
    assert [point.name for point in shop.states] == ["worm_gear_shop/worm-cutter/execution"]
    depot = trial.with_outdoor(site("cold_chain_depot"))
    assert [point.name for point in choose(depot, "chiller-1").inputs] == ["cold_chain_depot/outdoor/temp"]
    more = choose(depot, "chiller-1", ["chilled-room/temp", "frozen-room/door"])
    assert {point.name.partition("/")[2] for point in (*more.inputs, *more.states)} == {
        "outdoor/temp", "chilled-room/temp", "frozen-room/door",
    }  # fmt: skip


def test_what_cannot_be_trained_says_why() -> None:
    depot = site("cold_chain_depot")
    with pytest.raises(UntrainableError, match="it has no measured energy or power"):
        choose(depot, "genset")
    with pytest.raises(UntrainableError, match="nothing explains it"):
        choose(site("machine_builder_pv"), "lighting")
    said = r"expected a measured point of cold_chain_depot that is no energy; found 'roof'"
    with pytest.raises(KilowatchError, match=said):
        choose(depot, "chiller-1", ["roof"])
    choice, series = trial.simulated(WORM, 1)
    with pytest.raises(UntrainableError, match=r"expected 7 days of known windows for training; found 3\.0"):
        gathered(choice, between(series, 0, 4))
    parts = {**series.parts, choice.target.name: Parts.none()}
    with pytest.raises(UntrainableError, match="has no closed interval that is known"):
        gathered(choice, Series(parts, series.changes))


def test_inputs_of_which_little_is_known_are_left_out_and_said() -> None:
    choice, series = trial.simulated(WORM, 1)
    known = between(series, 0, 40)
    parts_of = choice.inputs[0].name
    seldom = {**known.parts, parts_of: known.parts[parts_of].take(known.parts[parts_of].starts_ms % 7 == -1)}
    data = gathered(choice, Series(seldom, known.changes))
    assert data.inputs == ()
    assert data.left_out == (f"{parts_of}: known in 0 % of the windows",)
    times = known.changes[choice.states[0].name].time_ms
    many = Changes(times, tuple(f"job {nth % 50}" for nth in range(len(times))))
    with_words = gathered(choice, Series(known.parts, {choice.states[0].name: many}))
    assert with_words.states == ()
    assert "50 words, more than 16" in with_words.left_out[0]


def test_every_kind_of_point_of_the_choice_is_one_that_the_stream_closes() -> None:
    for name in ("worm_gear_shop", "tap_forge", "container_yard", "machine_builder_pv"):
        loaded = site(name)
        for asset in loaded.assets:
            try:
                choice = choose(loaded, asset.name)
            except UntrainableError:
                continue
            kinds = {point.kind for point in (choice.target, *choice.inputs)}
            assert not kinds & {PointKind.STATE, PointKind.AMOUNT, PointKind.VIRTUAL}
