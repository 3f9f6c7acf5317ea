"""Studies to draw, and what must hold of every figure."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import pandas as pd
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

from emolab.core.label import STATE_KEYS
from emolab.plots.style import LEAST_PT, Drawing

FEATURES = {
    "d_hr_mean": "Δ heart rate (bpm)",
    "d_rr_mean": "Δ mean RR interval (ms)",
    "d_rr_sd": "Δ SD of RR (ms)",
    "d_face_t_mean": "Δ mean face temperature (°C)",
}


def study(people: int, clips: int = 3, states: Sequence[str] = STATE_KEYS, seed: int = 0) -> pd.DataFrame:
    """A tidy table: most clips reported as meant, some otherwise, one in 25 not at all."""
    generator = np.random.default_rng(seed)
    rows = []
    for person in range(people):
        for number, meant in enumerate(np.repeat(list(states), clips)):
            said = meant if generator.random() < 0.6 else generator.choice(list(states))
            rows.append(
                {
                    "participant": f"P{person + 1:03d}",
                    "session": 1,
                    "clip": f"c{number}",
                    "number": number + 1,
                }
                | {"state_intended": meant, "state_reported": None if generator.random() < 0.04 else said}
                | {"start_s": 330.0 + 45 * number, "end_s": 360.0 + 45 * number}
                | dict(zip(FEATURES, generator.standard_normal(4) * (2, 25, 8, 0.2), strict=True))
            )
    return pd.DataFrame(rows)


def check(drawing: Drawing) -> None:
    """No text lies on another or outside the paper, none is too small, and there are words for it."""
    figure = drawing.figure
    renderer = _drawn(figure)
    shown = [(text, text.get_window_extent(renderer)) for text in _texts(figure)]
    paper = figure.bbox
    for text, box in shown:
        words = text.get_text()
        assert text.get_fontsize() >= LEAST_PT, words
        assert box.x0 >= paper.x0 - 0.5 and box.x1 <= paper.x1 + 0.5, f"{words!r} leaves the paper sideways"
        assert box.y0 >= paper.y0 - 0.5 and box.y1 <= paper.y1 + 0.5, f"{words!r} leaves the paper"
    for (one, box), (other, its) in combinations(shown, 2):
        wide = min(box.x1, its.x1) - max(box.x0, its.x0)
        high = min(box.y1, its.y1) - max(box.y0, its.y0)
        assert wide < 0.5 or high < 1.5, f"{one.get_text()!r} lies on {other.get_text()!r}"
    assert drawing.caption.endswith(".") and drawing.alt.endswith(".")
    assert "nan" not in (drawing.caption + drawing.alt).lower().split()


def _drawn(figure: Figure) -> object:
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return canvas.get_renderer()


def _texts(figure: Figure) -> list[Text]:
    """Those that are drawn: a tick beyond the axis has a text, too, and is not shown."""
    hidden = set()
    for axes in figure.findobj(lambda artist: hasattr(artist, "xaxis")):
        for axis in (axes.xaxis, axes.yaxis):  # type: ignore[attr-defined]
            low, high = sorted(axis.get_view_interval())
            for tick in [*axis.get_major_ticks(), *axis.get_minor_ticks()]:
                if not low - 1e-9 <= tick.get_loc() <= high + 1e-9:
                    hidden |= {tick.label1, tick.label2}
    return [
        one for one in figure.findobj(Text)
        if one.get_visible() and one.get_text().strip() and one not in hidden
        and (one.axes is None or one.axes.axison or one in one.axes.texts)
    ]  # fmt: skip
