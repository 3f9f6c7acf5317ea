"""What the figures were made with: software, instruments, settings, files."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from importlib import metadata
from typing import Any

from emolab.analysis.measure import Measured
from emolab.analysis.page import Section, Table
from emolab.analysis.table import columns
from emolab.recording.header import commit, software

LIBRARIES = (
    "scipy", "pandas", "pyarrow", "statsmodels", "numba", "matplotlib", "pyloudnorm", "torch",
    "facenet-pytorch",
)  # fmt: skip


def made_with() -> dict[str, str]:
    """Versions of what analyses: emolab, its commit, Python and the libraries that touch the figures."""
    known = {**software(), "commit": commit()}
    for library in LIBRARIES:
        try:
            known[library] = metadata.version(library)
        except metadata.PackageNotFoundError:
            continue
    return {name: version for name, version in known.items() if version}


def provenance(every: Sequence[Measured], settings: Mapping[str, Any], files: Sequence[str]) -> Section:
    """Everything needed to do it again."""
    recorded: dict[str, set[str]] = {}
    instruments: dict[str, set[str]] = {}
    for one in every:
        for name, version in one.header.get("software", {}).items():
            recorded.setdefault(name, set()).add(str(version))
        for name, facts in one.header.get("instruments", {}).items():
            told = json.dumps(dict(facts), ensure_ascii=False, sort_keys=True, default=str)
            instruments.setdefault(name, set()).add(told)
    here = made_with()
    versions = [
        [name, ", ".join(sorted(recorded.get(name, ()))) or "–", here.get(name, "–")]
        for name in sorted({*recorded, *here})
    ]
    return Section(
        "provenance",
        "Provenance",
        [
            Table(
                "Settings of this analysis", ("setting", "value"), [[k, str(v)] for k, v in settings.items()]
            ),
            Table("Software", ("", "recorded with", "analysed with"), versions, folded=True),
            Table(
                "Instruments",
                ("stream", "what is known of it"),
                [
                    [name, told]
                    for name, every_one in sorted(instruments.items())
                    for told in sorted(every_one)
                ],
                folded=True,
            ),
            Table(
                "Columns of the tables",
                ("column", "unit", "what it says", "source"),
                [[c.name, c.unit, c.what, c.source] for c in columns()],
                folded=True,
            ),
            Table("Files beside this page", ("file",), [[file] for file in files], folded=True),
        ],
    )
