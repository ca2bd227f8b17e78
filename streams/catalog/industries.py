"""Industry adjustment coefficients of Taipower's bill, by 行業代碼 and voltage class.

Source: Taipower 電價表 in force from 2025-10-01, annex 1; the industries that the six cases belong to.
"""

from __future__ import annotations

from fractions import Fraction

COLUMNS = ("lighting", "low voltage", "high voltage")

INDUSTRIES: dict[str, tuple[str | None, str, str]] = {
    "242": (None, "0.954", "0.927"),  # aluminium
    "254": (None, "0.954", "0.927"),  # metal treatment
    "259": (None, "0.955", "0.955"),  # other metal products
    "292": ("0.938", "0.938", "0.938"),  # special machinery
    "293": (None, "0.955", "0.955"),  # general machinery
    "313": ("0.877", "0.799", "0.777"),  # bicycles and parts
    "499": ("0.938", "0.896", "0.896"),  # other land transport
    "524": (None, "1.017", "1.017"),  # support of land transport
    "530": (None, "1.017", "1.017"),  # warehousing
}


def industry_coefficient(industry: str, plan: str) -> Fraction | None:
    """Coefficient of an industry under a plan (`LV_…`, `HV_…`, `EHV_…`, else lighting); None if the table has none."""
    column = 2 if plan.startswith(("HV", "EHV")) else 1 if plan.startswith("LV") else 0
    text = INDUSTRIES.get(industry, (None, None, None))[column]
    return None if text is None else Fraction(text)
