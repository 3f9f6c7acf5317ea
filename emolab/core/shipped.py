"""Where the protocols, the stimulus manifest, the models and the papers' figures that come with emolab lie.

In a checkout the first two are the folders `protocols/` and `stimuli/` beside the package; a wheel
carries them inside the package, under `emolab/shipped/`, where the models and the figures are in either.
"""

from __future__ import annotations

from pathlib import Path

from emolab.core.errors import ConfigError

_PACKAGE = Path(__file__).resolve().parent.parent


def folder(name: str) -> Path:
    """The shipped folder of that name, such as `models`; `ConfigError` when the install is incomplete."""
    for place in (_PACKAGE / "shipped" / name, _PACKAGE.parent / name):
        if place.is_dir():
            return place
    raise ConfigError(
        f"the folder '{name}' that ships with emolab is missing beside {_PACKAGE}; install emolab again"
    )


def protocol(name_or_path: str) -> Path:
    """A protocol file by its shipped name (`emomusic`) or by path.

    Raises `ConfigError` listing the shipped ones.
    """
    path = Path(name_or_path)
    if path.is_file():
        return path
    shipped = folder("protocols")
    named = shipped / f"{name_or_path.removesuffix('.yaml')}.yaml"
    if path.parent == Path() and named.is_file():
        return named
    known = ", ".join(sorted(file.stem for file in shipped.glob("*.yaml")))
    raise ConfigError(
        f"there is no protocol {name_or_path!r}: neither a file nor one of the shipped ones ({known})"
    )
