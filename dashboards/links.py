"""Ways between the dashboards: by a value that is clicked, and by the row of links at the top of each."""

from __future__ import annotations

from typing import Final

from dashboards.parts import Link
from dashboards.sdk import model
from dashboards.words import Language, Words, said

OTHER: Final = {Language.ZH: Language.EN, Language.EN: Language.ZH}
OWN_NAME: Final = {Language.ZH: "中文", Language.EN: "English"}


def uid_of(board: str, language: Language) -> str:
    """The uid of a dashboard: both languages live in one Grafana."""
    return f"kw-{board}-{language}"


def data_link(link: Link, language: Language) -> dict[str, object]:
    """A link of a value, in the time range that is shown."""
    chosen = "".join(f"var-{name}={value}&" for name, value in link.variables.items())
    url = f"/d/{uid_of(link.board, language)}?{chosen}${{__url_time_range}}"
    return {"title": said(link.title, language), "url": url}


def top_links(boards: dict[str, Words], here: str, language: Language) -> list[model.DashboardLink]:
    """Links to the other dashboards, and to this one in the other language, with the choices and range of now."""
    other = OTHER[language]
    places = [(said(title, language), uid_of(name, language)) for name, title in boards.items() if name != here]
    places.append((OWN_NAME[other], uid_of(here, other)))
    return [
        model.DashboardLink(title=title, icon="dashboard", url=f"/d/{uid}", include_vars=True, keep_time=True)
        for title, uid in places
    ]
