"""The page's palettes as people with the three colour blindnesses see them.

Simulated by the matrices of Machado, Oliveira and Fernandes 2009 ("A Physiologically-based Model
for Simulation of Color Vision Deficiency", table 1, severity 1.0), in linear RGB; judged in CIE
L*a*b* (D65). Thresholds: a just noticeable difference is about 2.3 there; we ask for far more.
"""

import re
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from lstm_lm.traces.palette import DIVERGING, SEQUENTIAL, lookup

Floats = npt.NDArray[np.float64]

PALETTE = Path(__file__).parents[2] / "lstm_lm/ui/web/palette.js"
VISION = {
    "usual": np.eye(3),
    "protanopia": np.array([
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ]),
    "deuteranopia": np.array([
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ]),
    "tritanopia": np.array([
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ]),
}  # fmt: skip
LIGHTNESS = 60.0  # L* between the ends of a sequential ramp, at least
ENDS = 40.0  # ΔE between the ends of a diverging ramp, at least
HALVES = 20.0  # ΔE between half of each sign, at least
ARM = 20.0  # L* from the middle of a diverging ramp to each end, at least


def seen(colours: npt.ArrayLike, vision: str) -> Floats:
    """(n, 3) bytes of sRGB as L*a*b* with that vision."""
    rgb = np.asarray(colours, dtype=np.float64) / 255
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    linear = np.clip(linear @ VISION[vision].T, 0, 1)
    to_xyz = np.array([
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ])  # fmt: skip
    xyz = linear @ to_xyz.T / (to_xyz @ np.ones(3))  # white is 1, 1, 1
    f = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), xyz * (29 / 6) ** 2 / 3 + 4 / 29)
    x, y, z = f.T
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=1)


def ramps() -> dict[tuple[str, str], tuple[str, ...]]:
    """(theme, kind) -> the stops that the page's JavaScript paints with."""
    source = PALETTE.read_text()
    found = {}
    for theme, part in re.findall(r"^  (light|dark): \{(.*?)^  \}", source, re.DOTALL | re.M):
        for kind, stops in re.findall(r"(sequential|diverging): \[(.*)\]", part):
            found[theme, kind] = tuple(re.findall(r'"(#\w{6})"', stops))
    return found


def is_sequential(stops: tuple[str, ...], vision: str) -> bool:
    lightness = seen(lookup(stops), vision)[:, 0]
    steps = np.diff(lightness) * np.sign(lightness[-1] - lightness[0])
    # A byte is a whole number: two neighbours of 256 may round to the same lightness, not more.
    return bool(abs(lightness[-1] - lightness[0]) >= LIGHTNESS and steps.min() > -0.05)


def is_diverging(stops: tuple[str, ...], vision: str) -> bool:
    lab = seen(lookup(stops), vision)
    apart = [float(np.linalg.norm(lab[k] - lab[255 - k])) for k in (0, 64)]
    lightness = lab[:, 0]
    outward = np.sign(lightness[0] - lightness[128])
    arms = [outward * (lightness[k] - lightness[128]) for k in (0, 255)]
    return apart[0] >= ENDS and apart[1] >= HALVES and min(arms) >= ARM


def test_the_four_ramps_are_found_and_python_has_the_light_ones() -> None:
    assert sorted(ramps()) == sorted((t, k) for t in ("light", "dark") for k in KINDS)
    assert all(len(stops) == 5 for stops in ramps().values())
    assert (ramps()["light", "sequential"], ramps()["light", "diverging"]) == (
        SEQUENTIAL,
        DIVERGING,
    )


KINDS = {"sequential": is_sequential, "diverging": is_diverging}


@pytest.mark.parametrize("vision", VISION)
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_ramp_is_readable_with_every_colour_vision(kind: str, theme: str, vision: str) -> None:
    assert KINDS[kind](ramps()[theme, kind], vision)


def test_a_red_and_green_ramp_of_one_lightness_would_not_pass() -> None:
    red_green = ("#c8403a", "#d9938f", "#fbfaf8", "#8fb08a", "#3f7d3a")
    assert not is_diverging(red_green, "deuteranopia")
    assert not is_diverging(red_green, "protanopia")
    rainbow = ("#0000ff", "#00ffff", "#00ff00", "#ffff00", "#ff0000")
    assert not any(is_sequential(rainbow, vision) for vision in VISION)


def test_the_simulation_is_that_of_the_paper() -> None:
    """Greys stay, and what the missing cone alone told apart comes together."""
    grey = np.array([[0, 0, 0], [128, 128, 128], [255, 255, 255]])
    for vision in VISION:
        np.testing.assert_allclose(seen(grey, vision), seen(grey, "usual"), atol=0.1)
    red, green = [[200, 64, 58]], [[63, 125, 58]]
    usual, deutan = (
        float(np.linalg.norm(seen(red, v) - seen(green, v))) for v in ("usual", "deuteranopia")
    )
    assert deutan < 0.5 * usual


@pytest.mark.parametrize("vision", VISION)
def test_bars_that_rise_and_bars_that_fall_differ_for_everyone(vision: str) -> None:
    from lstm_lm.ui.theme import PAGE_CSS

    rises, falls = (
        re.findall(rf"--lm-{name}: (#\w{{6}})", PAGE_CSS) for name in ("rises", "falls")
    )
    assert len(rises) == len(falls) == 2  # light and dark
    for pair in zip(rises, falls, strict=True):
        colours = [[int(c[at : at + 2], 16) for at in (1, 3, 5)] for c in pair]
        assert float(np.linalg.norm(np.subtract(*seen(colours, vision)))) >= ENDS
