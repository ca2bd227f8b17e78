"""The published figures of six companies, computed beside published: exact, rounding, non-electric or unexplained.

No factor is tuned to make a row fit; what does not follow from the published energy is said to be so.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import pytest

from streams.domain.site import EmissionSource
from streams.operators.cost import cost
from streams.operators.emissions import E10
from tests.operators.test_cost import TARIFFS, average, frame, local_ms, site_with
from tests.operators.test_emissions import FACTORS, KILOGRAM, KWH, LITRE, facts, of


@dataclass(frozen=True)
class Claim:
    """A published figure beside what the published activity gives, in tonnes or NTD, and the class of what is left."""

    what: str
    computed: Fraction
    published: Fraction
    kind: str

    @property
    def residual(self) -> Fraction:
        return self.published - self.computed


def tonnes(amount: int, factor: str, year: int, use: str | None = None, gwp_set: str = "AR4") -> Fraction:
    """Emissions of one amount through the operator."""
    made = EmissionSource("s", "site/p", factor, 2, 2, use)
    return Fraction(of(facts([amount], f"{year}-06-01"), made, gwp_set=gwp_set)["location_e10"][0], E10 * 1000)


def ntd(kwh: int, price: str) -> Fraction:
    """The cost of energy at an average price through the operator."""
    rows = cost(frame([local_ms("2025-06-01")], [kwh * KWH]), site_with(average(price)), TARIFFS)
    return Fraction(rows["cost_e8"][0], 10**8)


def power(kwh: int, year: int) -> Fraction:
    return tonnes(kwh * KWH, "grid_tw", year)


CLAIMS = [
    Claim("tap forge, electricity", power(1_060_000, 2021), Fraction("539.54"), "exact"),
    Claim("machine builder with PV, electricity", power(387_120, 2021), Fraction("197.13"), "unexplained"),
    Claim("machine builder with PV, money", ntd(387_120, "2.60"), Fraction(1_006_512), "exact"),
    Claim("cold-chain depot, electricity", power(264_225, 2024), Fraction(125), "rounding"),
    Claim("cold-chain depot, money", ntd(264_225, "3.81"), Fraction(1_006_697), "rounding"),
    Claim("container yard, electricity", power(5_344, 2021), Fraction("217.75"), "non-electric"),
    Claim(
        "container yard, diesel", tonnes(82_080 * LITRE, "diesel", 2021, "mobile"), Fraction("217.75"), "non-electric"
    ),
    Claim("worm-gear shop, electricity", power(4_300, 2021), Fraction("12.95"), "unexplained"),
    Claim("bicycle parts, electricity", power(11_371, 2021), Fraction("1032.735"), "non-electric"),
]
RESIDUALS = {
    "tap forge, electricity": "0.000",
    "machine builder with PV, electricity": "0.086",
    "machine builder with PV, money": "0.000",
    "cold-chain depot, electricity": "-0.243",
    "cold-chain depot, money": "-0.250",
    "container yard, electricity": "215.030",
    "container yard, diesel": "0.211",
    "worm-gear shop, electricity": "10.761",
    "bicycle parts, electricity": "1026.947",
}


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.what)
def test_a_published_figure_leaves_the_residual_that_is_known(claim: Claim) -> None:
    assert f"{float(claim.residual):.3f}" == RESIDUALS[claim.what]
    if claim.kind == "exact":
        assert claim.residual == 0
    elif claim.kind == "rounding":
        assert round(claim.computed) == claim.published
    else:
        assert claim.residual > 0


def test_the_hidden_unit_prices_are_those_that_reproduce_the_money() -> None:
    assert ntd(264_225, "3.81") == Fraction("1006697.25")
    assert Fraction(1_006_512, 387_120) == Fraction("2.60")


def test_the_aluminium_behind_the_largest_claim_is_some_eighty_tonnes_a_year() -> None:
    """At the maker's word, recycled metal three quarters below primary, which the catalog's two factors bear out."""
    rest = CLAIMS[-1].residual
    (row,) = (row for row in FACTORS.materials if row.material == "aluminium_primary")
    spared = [Fraction(3, 4) * each for each in (row.highest, row.kgco2e, row.lowest)]  # of a tonne of metal
    assert [round(float(rest / each), 1) for each in spared] == [76.1, 80.5, 85.6]
    primary, recycled = (tonnes(KILOGRAM, name, 2024) for name in ("aluminium_primary", "aluminium_recycled"))
    assert Fraction(3, 4) <= 1 - recycled / primary < Fraction(9, 10)


@pytest.mark.parametrize(
    ("use", "gwp_set", "alone", "with_power"),
    [
        ("mobile", "AR4", "217.54", "220.26"),
        ("mobile", "AR5", "217.20", "219.92"),
        ("mobile", "AR6", "217.29", "220.01"),
        ("stationary", "AR4", "214.64", "217.36"),
        ("stationary", "AR5", "214.60", "217.32"),
        ("stationary", "AR6", "214.62", "217.34"),
    ],
)
def test_no_use_and_no_set_of_potentials_makes_the_assumed_litres_exact(
    use: str, gwp_set: str, alone: str, with_power: str
) -> None:
    diesel = tonnes(82_080 * LITRE, "diesel", 2021, use, gwp_set)
    both = diesel + power(5_344, 2021)
    assert [f"{float(each):.2f}" for each in (diesel, both)] == [alone, with_power]
    assert Fraction("217.75") not in (round(diesel, 2), round(both, 2))


def test_neither_year_of_the_same_factor_can_be_told_from_the_tonnes() -> None:
    assert power(1_060_000, 2019) == power(1_060_000, 2021) == Fraction("539.54")


def test_the_share_published_beside_the_tonnes_gives_the_footprint_before() -> None:
    assert round(Fraction("12.95") / Fraction("0.1447"), 1) == Fraction("89.5")
    assert power(4_300, 2021) < Fraction("2.2") < Fraction("12.95")


def test_the_fuel_money_of_the_yard_is_whole_litres_at_thirty_dollars() -> None:
    assert Fraction(2_462_400, 30) == 82_080
