"""Why trials were left out, told once for all that were for the same reason.

Reasons that differ by names or numbers alone are one, with `…` for what differs: which file it was, is told
where every trial is.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from emolab.datasets.dataset import LeftOut

JOINED = "\N{NO-BREAK SPACE}"  # in a path that is taken for one word
SHORTEST_NAME = 3  # of a clip, that it is not taken for a word


def by_reason(left_out: Iterable[LeftOut], root: Path) -> dict[str, list[str]]:
    """The keys of trials for each reason, the commonest first; paths as in the corpus's folder `root`."""
    alike: dict[tuple[str, ...], list[tuple[str, list[str]]]] = {}
    for one in left_out:
        words = _within(root, one.why).split(" ")
        alike.setdefault(tuple(_unnamed(word, one.key) for word in words), []).append((one.key, words))
    found: dict[str, list[str]] = {}
    for kind, every in alike.items():
        told = map(_common, kind, zip(*(words for _, words in every), strict=True))
        found.setdefault(" ".join(told).replace(JOINED, " "), []).extend(key for key, _ in every)
    return dict(sorted(found.items(), key=lambda one: (-len(one[1]), one[0])))


def _within(root: Path, why: str) -> str:
    """A reason with its paths as they are in the folder `root`, each of them one word."""
    path = re.compile(re.escape(f"{root}{os.sep}") + r"(.*?\.\w+)(?=[\s,;:)]|$)")
    return path.sub(lambda found: found[1].replace(" ", JOINED), why).replace(str(root), root.name)


def _unnamed(word: str, key: str) -> str:
    """A word of a reason, or a path; `…` for what of it has a digit, or is from the `key` of the trial."""
    if "/" in word:
        return "/".join(_unnamed(part, key) for part in word.split("/"))
    bare = word.rstrip(".,;:)")
    is_name = any(sign.isdigit() for sign in bare)
    is_name |= len(bare) >= SHORTEST_NAME and (key.startswith(bare) or key.endswith(bare))
    return "…" + word[len(bare) :] if is_name else word


def _common(kind: str, words: Sequence[str]) -> str:
    """What words, or paths, of one `kind` have in common."""
    if "/" in kind:
        return "/".join(map(_common, kind.split("/"), zip(*(word.split("/") for word in words), strict=True)))
    return words[0] if len(set(words)) == 1 else kind
