"""What can be chosen of how a model is made: ablation, depth and width, component, a regression's input.

    choices_of("rtcag")["widths"].read("64,128,256,512")    # (64, 128, 256, 512)
    choices_of("rtcag")["ablation"].values                  # ("base", "ra", …)
    make("rtcag", ablation="re", depth=2)

A model that leaves something to choose has a table `CHOICES` in its file, by the names of its arguments, and
a line in `models.CHOICES`. No torch is loaded by this file; `choices_of` loads it where a model needs it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from emolab.core.errors import ConfigError, MissingExtra, shown
from emolab.core.registry import resolve
from emolab.models import CHOICES


@dataclass(frozen=True)
class Choice:
    """`what` it is of, in words. `values`: words, numbers, or tuples of numbers; `usual`: of these."""

    what: str
    values: tuple[Any, ...]
    usual: Any

    def read(self, text: str) -> Any:
        """The value that is written so. Raises `ConfigError` with those there are."""
        for value in self.values:
            if written(value) == text:
                return value
        known = " | ".join(written(value) for value in self.values)
        raise ConfigError(f"{shown(text)} is none of {known}")


def written(value: Any) -> str:
    """A value as one writes it: a tuple with commas."""
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)


def choices_of(name: str) -> dict[str, Choice]:
    """By name what can be chosen of the model `name`; nothing of most.

    Raises `MissingExtra` where torch is needed and is not there.
    """
    if name not in CHOICES:
        return {}
    try:
        return dict(resolve(CHOICES, name, "model"))
    except ModuleNotFoundError as error:
        raise MissingExtra(
            f"the model {name!r} needs {error.name}, which is not installed; pip install 'emolab[faces]'"
        ) from error
