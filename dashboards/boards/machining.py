"""Machining of a site: what the machines did, what set-up and idling took, and what a piece takes."""

from __future__ import annotations

from typing import Final

from dashboards.choices import (
    ASSET_COLUMN,
    ENERGY_COLUMN,
    HIDDEN_SITE,
    KNOWN_COLUMN,
    MACHINE,
    MACHINING_SITE,
    TO_ASSET_OF_SERIES,
    narrow,
)
from dashboards.looks import (
    COUNT,
    HOURS,
    KWH,
    KWH_EACH,
    MACHINE_CODE,
    MINUTES,
    NTD,
    PLAIN,
    SHARE,
    SHARE_LINE,
)
from dashboards.looks import MACHINE as STATE
from dashboards.parts import Board, Column, Drawing, Kind, Panel, Section
from dashboards.words import Words

NO_MACHINE: Final = Words("站檔的 kpis 沒有機台", "the site's file has no machine among its kpis")
BY_CONTROLLER: Final = Words(
    "這台機台的狀態來自控制器，沒有功率可分到各狀態",
    "the states of this machine come from its controller, without a power to divide among them",
)
NO_PIECES: Final = Words(
    "站檔的機台沒有電表或件數（roles: energy, good）", "no machine has both a meter and pieces (roles: energy, good)"
)
NO_PLAN: Final = Words("站檔沒有這台機台的 planned_h", "the site's file has no planned_h of this machine")
NO_SETUPS: Final = Words(
    "這段時間沒有換線，或站檔沒有換線狀態", "nothing was set up in this range, or the site's file has no such state"
)
BARS: Final = Drawing(is_bars=True, is_stacked=True)
LINES: Final = Drawing(fill=0)
TO_ONE: Final = {"axisSoftMax": 1}


def of_states(unit: str) -> tuple[Column, ...]:
    """A column a state, named `{state}_{unit}`; energy has none of a machine that is off."""
    return tuple(
        Column(name=f"{state}_{unit}", title=named.words, colour=named.colour)
        for state, named in STATE.items()
        if unit == "h" or state != "off"
    )


WORKED: Final = Section(
    Words("機台有沒有在加工？", "Did the machines cut?"),
    (
        Panel(
            kind=Kind.TABLE,
            title=Words("各機台", "Machines"),
            says=Words(
                "每列一台機台，怠機最久的在前。怠機費用是怠機用電乘以本站的平均單價：這是不做事也付的錢，先關它。點設"
                "備看它。",
                "One row a machine, the one that idled longest first. Cost of idling is its energy at the mean price "
                "of the site: paid for nothing, so switch that one off first. Click the asset.",
            ),
            query="machining/machines",
            columns=narrow(
                98,
                HIDDEN_SITE,
                ASSET_COLUMN,
                Column(name="cutting_h", title=Words("加工", "Cutting"), unit=HOURS, decimals=1),
                Column(name="setup_h", title=Words("換線", "Set-up"), unit=HOURS, decimals=1),
                Column(name="idle_h", title=Words("怠機", "Idle"), unit=HOURS, decimals=1),
                Column(name="off_h", title=Words("關機", "Off"), unit=HOURS, decimals=1),
                Column(name="setups", title=Words("換線次數", "Set-ups"), unit=COUNT),
                Column(name="setup_min_per_job", title=Words("每次換線", "A set-up"), unit=MINUTES, decimals=1),
                Column(name="idle_kwh", title=Words("怠機用電", "Idle energy"), unit=KWH),
                Column(name="idle_ntd", title=Words("怠機費用", "Idle cost"), unit=NTD, decimals=1),
                ENERGY_COLUMN,
                Column(name="good_pieces", title=Words("良品", "Good"), unit=COUNT),
                Column(name="kwh_per_piece", title=Words("每件", "A piece"), unit=KWH_EACH, decimals=3),
                KNOWN_COLUMN,
            ),
            height=5,
            empty=NO_MACHINE,
        ),
        Panel(
            kind=Kind.STATE_TIMELINE,
            title=Words("各機台的狀態", "States of the machines"),
            says=Words(
                "每個時段占最久的狀態。早上最晚開始加工的、中午還在怠機的，問原因。",
                "The state that held longest in each interval. Which starts latest in the morning, which idles through "
                "noon: ask why.",
            ),
            query="machining/timeline",
            names=MACHINE_CODE,
            least="15m",
            height=5,
            empty=NO_MACHINE,
        ),
        Panel(
            kind=Kind.TIME_SERIES,
            title=Words("${machine} 每日各狀態時數", "Hours of each state by day: ${machine}"),
            says=Words(
                "所選機台每個當地日的時數；不到 24 小時的部分是不知道的時間。",
                "Hours of each local day of the chosen machine; what lacks of 24 is time of which nothing is known.",
            ),
            query="machining/states",
            columns=of_states("h"),
            unit=HOURS,
            decimals=1,
            highest=24,
            lowest=0,
            drawing=BARS,
            width=12,
            empty=NO_MACHINE,
        ),
        Panel(
            kind=Kind.TIME_SERIES,
            title=Words("${machine} 每日各狀態用電", "Energy of each state by day: ${machine}"),
            says=Words(
                "功率曲線下的面積，分到當時的狀態。怠機與換線的部分沒有做出任何一件。",
                "The area below the course of the power, by the state of the time. Idling and set-up made no piece.",
            ),
            query="machining/energy_by_state",
            columns=of_states("kwh"),
            unit=KWH,
            drawing=BARS,
            width=12,
            empty=BY_CONTROLLER,
        ),
    ),
)
SET_UP: Final = Section(
    Words("換線與怠機花了多少？", "What did set-up and idling take?"),
    (
        Panel(
            kind=Kind.TIME_SERIES,
            title=Words("每次換線幾分鐘", "Minutes of a set-up"),
            says=Words(
                "每個當地日的換線時間除以換線次數。一次調好之後應該下降；某天特別長，看那天做什麼件。",
                "Time of set-up of each local day by the number of set-ups. It falls once a set-up holds for good; on "
                "a day with long ones see what was made.",
            ),
            query="machining/setup_minutes",
            unit=MINUTES,
            decimals=1,
            drawing=LINES,
            width=12,
            link=TO_ASSET_OF_SERIES,
            empty=NO_SETUPS,
        ),
        Panel(
            kind=Kind.TIME_SERIES,
            title=Words("每日怠機費用", "Cost of idling by day"),
            says=Words(
                "怠機用電乘以本站當天的平均單價。",
                "Energy of idling at the mean price of the site's day.",
            ),
            query="machining/idle_cost",
            unit=NTD,
            decimals=0,
            drawing=BARS,
            width=12,
            link=TO_ASSET_OF_SERIES,
            empty=BY_CONTROLLER,
        ),
    ),
)
PIECES: Final = Section(
    Words("做一件要多少電、有沒有效率？", "What does a piece take, and how effective is the machine?"),
    (
        Panel(
            kind=Kind.STAT,
            title=Words("${machine} 的 OEE（ISO 22400-2）", "OEE of ${machine} (ISO 22400-2)"),
            says=Words(
                "週一到週五。可用率 = 加工時間／計畫時間（APT/PBT）；績效率 = 標準工時 × 件數／加工時間（PRI·PQ/APT）；"
                "品質率 = 良品／件數（GQ/PQ）；OEE 是三者相乘。最低的那一個最值得改。績效率超過 100 %（紅）是站檔的 "
                "ideal_s 太大；– 是站檔沒有 ideal_s，或沒有數不良品。",
                "Monday to Friday. Availability is busy over planned time (APT/PBT), effectiveness the planned time of "
                "the pieces over the busy time (PRI·PQ/APT), the quality ratio good over all pieces (GQ/PQ); the OEE "
                "index is their product. Work at the lowest. Effectiveness beyond 100 % (red): ideal_s of the "
                "site's file is too large. A dash: the file has no ideal_s, or scrap is not counted.",
            ),
            query="machining/oee_range",
            columns=(
                Column(
                    name="availability",
                    title=Words("可用率", "availability"),
                    unit=SHARE,
                    decimals=0,
                    steps=SHARE_LINE,
                ),
                Column(
                    name="effectiveness",
                    title=Words("績效率", "effectiveness"),
                    unit=SHARE,
                    decimals=0,
                    steps=SHARE_LINE,
                ),
                Column(
                    name="quality_ratio",
                    title=Words("品質率", "quality ratio"),
                    unit=SHARE,
                    decimals=1,
                    steps=SHARE_LINE,
                ),
                Column(name="oee", title=Words("OEE 指數", "OEE index"), unit=SHARE, decimals=0, steps=PLAIN),
            ),
            empty=Words(
                "站檔沒有這台機台的 planned_h、ideal_s 或件數",
                "the site's file lacks planned_h, ideal_s or pieces of this machine",
            ),
        ),
        Panel(
            kind=Kind.TIME_SERIES,
            title=Words("${machine} 每日 OEE", "OEE of ${machine} by day"),
            says=Words(
                "每個工作日的三個要素與 OEE。OEE 掉下來時，看是哪個要素帶下來的。",
                "The three elements of each working day and their product. Where OEE falls, see which of them took it "
                "along.",
            ),
            query="machining/oee",
            columns=(
                Column(name="availability", title=Words("可用率", "availability"), colour="blue", custom=TO_ONE),
                Column(name="effectiveness", title=Words("績效率", "effectiveness"), colour="purple", custom=TO_ONE),
                Column(name="quality_ratio", title=Words("品質率", "quality ratio"), colour="green", custom=TO_ONE),
                Column(
                    name="oee",
                    title=Words("OEE 指數", "OEE index"),
                    colour="orange",
                    custom={"lineWidth": 3, "axisSoftMax": 1},
                ),
            ),
            unit=SHARE,
            lowest=0,
            drawing=LINES,
            width=12,
            empty=NO_PLAN,
        ),
        Panel(
            kind=Kind.TIME_SERIES,
            title=Words("每件用電", "Energy of a piece"),
            says=Words(
                "機台每個當地日的用電除以良品。件數少的日子，待機的電分攤到每件而上升。",
                "Energy of the machine by good pieces of each local day. With few pieces what it takes idle falls on "
                "each of them.",
            ),
            query="machining/per_piece",
            unit=KWH_EACH,
            decimals=3,
            drawing=LINES,
            width=12,
            link=TO_ASSET_OF_SERIES,
            empty=NO_PIECES,
        ),
    ),
)
BOARD: Final = Board(
    name="machining",
    title=Words("加工", "Machining"),
    question=Words(
        "機台有沒有在加工？換線與怠機花了多少？做一件要多少電？",
        "Did the machines cut, what did set-up and idling take, and what does a piece take?",
    ),
    variables=(MACHINING_SITE, MACHINE),
    sections=(WORKED, SET_UP, PIECES),
)
