"""What the console remembers from one day to the next: the last study, and each study's last choices."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

log = logging.getLogger(__name__)


class Memory:
    """A small JSON file. Losing it loses nothing but comfort, so a damaged one is started anew."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            found = None
        self._facts: dict[str, Any] = found if isinstance(found, dict) else {}

    @property
    def study(self) -> Path | None:
        """The study opened last, None when there was none or it is gone."""
        path = Path(self._facts["study"]) if self._facts.get("study") else None
        return path if path is not None and path.is_dir() else None

    def of(self, study: Path) -> dict[str, Any]:
        """The choices made last in a study: `devices`, `protocol`, `seed`, `language`, `screen`."""
        return dict(self._facts.get("studies", {}).get(str(study), {}))

    def keep(self, study: Path, **choices: Any) -> None:
        """Remember that `study` was open and what was chosen in it."""
        self._facts["study"] = str(study)
        self._facts.setdefault("studies", {}).setdefault(str(study), {}).update(choices)
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._path.write_text(json.dumps(self._facts, indent=1, ensure_ascii=False), encoding="utf-8")
        except OSError as error:
            log.warning("the console's memory %s cannot be written: %s", self._path, error)
