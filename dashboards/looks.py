"""Units, thresholds and colours that all dashboards share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from dashboards.words import Words

KW: Final = "kwatt"
KWH: Final = "kwatth"
CELSIUS: Final = "celsius"
SHARE: Final = "percentunit"
"""A fraction of 1, shown in per cent."""
AGO: Final = "s"  # as large as it is: 5 s, 3 days
SECONDS: Final = "dtdhms"  # days and hh:mm:ss, which read alike in every language
COUNT: Final = "none"
NTD: Final = "currency:NT$"
NTD_KWH: Final = "suffix: NT$/kWh"
KG_CO2E: Final = "suffix: kg CO₂e"
KG_KWH: Final = "suffix: kg CO₂e/kWh"
HOURS: Final = "suffix: h"
MINUTES: Final = "suffix: min"
DEGREE_MINUTES: Final = "suffix: °C·min"
PER_HOUR: Final = "suffix: /h"
LITRE: Final = "suffix: L"
LITRE_H: Final = "suffix: L/h"
KWH_EACH: Final = "suffix: kWh"
"""Energy of a piece, a pallet or a move: as it is, where `kwatth` would turn small ones into Wh."""
KWH_H: Final = "suffix: kWh/h"
KWH_DEGREE_HOUR: Final = "suffix: kWh/(°C·h)"
KWH_KWP: Final = "suffix: kWh/kWp"
TONNE: Final = "suffix: t CO₂e"
MOMENT: Final = "dateTimeAsIso"
TEXT: Final = "string"


@dataclass(frozen=True, slots=True)
class Steps:
    """Thresholds: the colour from below, then each limit with the colour that begins at it."""

    base: str
    above: tuple[tuple[float, str], ...] = ()


PLAIN: Final = Steps("blue")
ZERO_IS_GOOD: Final = Steps("green", ((1, "red"),))
ZERO_IS_BEST: Final = Steps("green", ((1, "orange"),))
EXACTLY_ZERO: Final = Steps("red", ((0, "green"), (0.000001, "red")))
"""A residual in kWh: any part of a milliwatt-hour, to either side, is a fault."""
CONTRACT: Final = Steps("green", ((0.8, "yellow"), (0.9, "orange"), (1, "red")))
"""Share of the contract: warn at 80 %, act at 90 %; from 100 % on the excess is charged at a multiple."""
UNSURE: Final = Steps("green", ((0.01, "yellow"), (0.05, "red")))
"""Share of a total that was estimated, or is missing."""
AGE: Final = Steps("green", ((1800, "yellow"), (3600, "red")))
"""Seconds since something was heard: two quarter-hours are still the rhythm of the data, an hour is not."""
SCORE: Final = Steps("green", ((0.4, "yellow"), (0.5, "orange"), (0.8, "red")))
"""Anomaly scores (docs/anomaly.md): 0.5 is worth a look."""

HELD: Final = Steps("text", ((0, "red"), (0.95, "yellow"), (0.99, "green")))
"""Share of the time that a room was within its band."""
STARTS: Final = Steps("green", ((6, "yellow"), (8, "red")))
"""Starts of a compressor an hour: from 8 on the rule `short_cycling` alerts."""
SHARE_LINE: Final = Steps("green", ((1.000001, "red"),))
"""A share that cannot be more than the whole."""

SCORE_LINE: Final = Steps("transparent", ((0.5, "orange"),))


@dataclass(frozen=True, slots=True)
class Named:
    """What a code or a word of the store is called, and its colour."""

    words: Words
    colour: str | None = None


Names = dict[str, Named]
QUALITY: Final[Names] = {
    "measured": Named(Words("實測", "measured"), "green"),
    "estimated": Named(Words("估計", "estimated"), "yellow"),
    "partial": Named(Words("部分缺漏", "partial"), "orange"),
    "missing": Named(Words("缺漏", "missing"), "red"),
}
QUALITY_CODE: Final[Names] = {str(code): named for code, named in enumerate(QUALITY.values())}
READING_QUALITY: Final[Names] = {
    "good": Named(Words("良好", "good"), "green"),
    "uncertain": Named(Words("存疑", "uncertain"), "yellow"),
    "bad": Named(Words("不良", "bad"), "red"),
}
SEVERITY: Final[Names] = {
    "critical": Named(Words("緊急", "critical"), "red"),
    "warning": Named(Words("警告", "warning"), "orange"),
    "info": Named(Words("通知", "info"), "blue"),
}
ALERT_CODE: Final[Names] = {
    "0": Named(Words("正常", "quiet"), "green"),
    "1": Named(Words("通知", "info"), "blue"),
    "2": Named(Words("警告", "warning"), "orange"),
    "3": Named(Words("緊急", "critical"), "red"),
}
BAND: Final[Names] = {
    "peak": Named(Words("尖峰", "peak"), "red"),
    "semi": Named(Words("半尖峰", "semi-peak"), "orange"),
    "sat_semi": Named(Words("週六半尖峰", "Saturday semi-peak"), "yellow"),
    "off": Named(Words("離峰", "off-peak"), "green"),
    "all": Named(Words("單一費率", "one price"), "blue"),
}
ROOM_CODE: Final[Names] = {
    "0": Named(Words("帶內", "within"), "green"),
    "1": Named(Words("過高", "too warm"), "red"),
    "2": Named(Words("過低", "too cold"), "blue"),
}
MACHINE: Final[Names] = {
    "off": Named(Words("關機", "off"), "#8e8e8e"),
    "idle": Named(Words("怠機", "idle"), "orange"),
    "setup": Named(Words("換線", "set-up"), "yellow"),
    "cutting": Named(Words("加工", "cutting"), "green"),
}
MACHINE_CODE: Final[Names] = {str(code): named for code, named in enumerate(MACHINE.values())}
STATE_CODE: Final[Names] = {
    "0": Named(Words("關／停", "closed or idle"), "green"),
    "1": Named(Words("開／動", "open or active"), "orange"),
    "2": Named(Words("其他", "another word"), "purple"),
}
KIND: Final[Names] = {
    "register": Named(Words("累計表", "register")),
    "power": Named(Words("功率", "power")),
    "interval": Named(Words("區間電量", "interval energy")),
    "gauge": Named(Words("量測值", "gauge")),
    "amount": Named(Words("單次數量", "amount")),
    "state": Named(Words("狀態", "state")),
    "virtual": Named(Words("虛擬表", "virtual meter")),
}
EVENT: Final[Names] = {
    "rollover": Named(Words("歸零進位", "rollover"), "blue"),
    "reset": Named(Words("重置", "reset"), "blue"),
    "exchange": Named(Words("換表", "exchange"), "blue"),
    "glitch": Named(Words("突波", "glitch"), "orange"),
    "back_step": Named(Words("微幅倒退", "back-step"), "yellow"),
    "catch_up": Named(Words("停滯後補計", "catch-up"), "yellow"),
    "jump": Named(Words("跳號", "jump"), "red"),
    "unclear_drop": Named(Words("不明下降", "unclear drop"), "red"),
}
DELIVERY: Final[Names] = {
    "waiting": Named(Words("等待中", "waiting"), "blue"),
    "failed": Named(Words("失敗，將重試", "failed, tried again"), "orange"),
    "sent": Named(Words("已送達", "sent"), "green"),
    "dead": Named(Words("放棄", "dead letter"), "red"),
    "unrouted": Named(Words("無路由", "no route"), "yellow"),
    "silenced": Named(Words("靜音", "silenced"), "blue"),
    "grouped": Named(Words("併入上層", "grouped"), "blue"),
    "acknowledged": Named(Words("已有人處理", "acknowledged"), "blue"),
    "untold": Named(Words("無需通知", "untold"), "blue"),
}
CAUSES: Final = (
    ("far from its recent level", "偏離近期水準"),
    ("changed unlike this time of the week", "變化不同於平日此時"),
    ("unlike this time of the week", "不同於平日此時"),
    ("a course never seen before", "前所未見的走勢"),
    ("nothing known yet", "尚無可比較"),
)
SIDES: Final = (("", ""), (", above what was expected", "，高於預期"), (", below what was expected", "，低於預期"))
CAUSE: Final[Names] = {
    f"{en}{side_en}": Named(Words(f"{zh}{side_zh}", f"{en}{side_en}"))
    for en, zh in CAUSES
    for side_en, side_zh in SIDES
}


def _in_chinese(*pairs: tuple[str, str]) -> Names:
    return {text: Named(Words(zh, text)) for text, zh in pairs}


REJECTION: Final = _in_chinese(
    ("unknown point", "站檔沒有這個量測點"),
    ("time before the site's start", "時間早於場域啟用日"),
    ("time in the future", "時間在未來"),
    ("value is not finite", "不是有限數值"),
    ("value out of range", "超出可能的範圍"),
    ("unit does not fit the point", "單位與量測點不合"),
    ("quality is bad", "送方標為不良"),
    ("not a number", "不是數字"),
    ("glitch", "突波"),
    ("conflicting duplicate", "同一時刻有不同的值"),
    ("no point name", "沒有量測點名稱"),
    ("no time", "沒有時間"),
    ("unparsable time", "看不懂的時間"),
    ("no value", "沒有值"),
    ("unavailable", "送方無法取得"),
    ("not finite", "不是有限數值"),
    ("quality must be 0, 1 or 2", "品質碼須為 0、1 或 2"),
    ("value must be a number or a word", "值須為數字或文字"),
    ("unit must be a text", "單位須為文字"),
    ("time and value must be lists of one length", "時間與值的個數須相同"),
    ("empty message", "空的訊息"),
    ("time has no offset and the mapping no time_zone", "時間沒有時區，對應檔也沒有 time_zone"),
    ("local time does not exist (clock set forward)", "這個當地時間不存在（時鐘撥快）"),
)
"""Reasons of `mart.quarantine`; those that quote what was found stay as they are."""
DECISION: Final = _in_chinese(
    ("wrapped at the declared width", "到宣告的位數後歸零進位"),
    ("declared in the catalog", "站檔有宣告"),
    ("drop at a declared boundary", "在宣告的分界歸零"),
    ("drop within the register's noise", "倒退在表的雜訊之內"),
    (r"^caught up after (\d+) minutes at a standstill$", "停滯 $1 分鐘後補上"),
    (r"^(\d+) off the course$", "$1 筆偏離走勢"),
    (r"^(\d+) readings stay low$", "$1 筆持續偏低"),
    (r"^(\d+) readings stay on a new course; the step is not energy$", "$1 筆都在新的走勢上；這一跳不算電量"),
)
"""Reasons of `mart.register_event`."""
YES_NO: Final[Names] = {
    "true": Named(Words("是", "yes"), "orange"),
    "false": Named(Words("否", "no")),
}
