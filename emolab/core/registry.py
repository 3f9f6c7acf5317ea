"""Names to classes, imported only when asked for.

A zoo room keeps one literal dict in its `__init__`, `{"physiokit": "emolab.devices.physiokit:PhysioKit"}`;
`resolve` turns a name into the class and says which names there are when it is unknown.
"""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from importlib import import_module
from typing import Any

from emolab.core.errors import ConfigError


def resolve(registry: Mapping[str, str], name: str, what: str) -> Any:
    """The object registered as `name`; `what` is the word for it in the error ("instrument kind")."""
    if name not in registry:
        near = get_close_matches(name, registry, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise ConfigError(f"unknown {what} {name!r}; known are {', '.join(sorted(registry))}.{hint}")
    module, _, attribute = registry[name].partition(":")
    return getattr(import_module(module), attribute)
