"""Where the generated dashboards lie, and what they are called in Grafana; needs nothing but this file."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from dashboards.words import Language

HERE: Final = Path(__file__).parent
GENERATED: Final = HERE / "generated"
FOLDERS: Final = {Language.ZH: "Kilowatch", Language.EN: "Kilowatch (English)"}
"""The folder of each language in Grafana."""
FOLDER_UIDS: Final = {Language.ZH: "kilowatch-zh", Language.EN: "kilowatch-en"}
