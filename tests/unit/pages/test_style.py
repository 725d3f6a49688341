"""The colours of the page: readable in the light and in the dark (WCAG 2.2, success criterion 1.4.3)."""

import re
from pathlib import Path

import pytest

from bot import pages

STYLE = (Path(pages.__file__).parent / "page.css").read_text()
LIGHT, DARK = (
    dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", block)) for block in STYLE.split("* {")[0].split("@media")
)
PAIRS = (
    ("text", "sheet"),
    ("text", "ground"),
    ("quiet", "sheet"),
    ("quiet", "ground"),
    ("quiet", "sunk"),
    ("go-text", "go"),
    ("stop", "sheet"),
    ("link", "sheet"),
    ("text", "quiet-back"),
    ("open-text", "open-back"),
    ("good-text", "good-back"),
    ("bad-text", "bad-back"),
    ("mark-text", "mark-back"),
)


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("scheme", [LIGHT, {**LIGHT, **DARK}], ids=["light", "dark"])
@pytest.mark.parametrize("front, back", PAIRS)
def test_text_stands_out_from_what_is_behind_it(scheme: dict[str, str], front: str, back: str) -> None:
    lighter, darker = sorted((luminance(scheme[front]), luminance(scheme[back])), reverse=True)

    assert (lighter + 0.05) / (darker + 0.05) >= 4.5
