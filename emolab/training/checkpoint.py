"""Everything a run needs to go on after it was killed, in one file that is whole or not there.

Tensors and facts lie in one safetensors file, which replaces the one before in one step once it is on the
disk: a run killed while writing finds the epoch before.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors import torch as stored
from torch import Tensor

from emolab.core.errors import ModelError


def save(path: Path, tensors: Mapping[str, Tensor], facts: Mapping[str, Any]) -> None:
    """Write `tensors`, and `facts` that JSON can hold."""
    half = path.with_suffix(".part")
    whole = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    half.write_bytes(stored.save(whole, {"facts": json.dumps(facts)}))  # `save_file` heeds no umask
    with half.open("rb+") as file:
        os.fsync(file.fileno())
    half.replace(path)


def load(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """What `save` wrote; `ModelError` when the file is none of its."""
    try:
        with safe_open(path, "pt") as file:
            facts = json.loads((file.metadata() or {})["facts"])
            return {name: file.get_tensor(name) for name in file.keys()}, facts  # noqa: SIM118
    except (OSError, SafetensorError, KeyError, ValueError) as error:
        raise ModelError(f"{path} is no checkpoint of emolab: {error}; delete it to begin anew") from error
