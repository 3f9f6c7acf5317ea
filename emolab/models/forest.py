"""A random forest on the 128 figures of skin conductance: the floor that a network must be over.

Breiman 2001, doi:10.1023/A:1010933404324. It asks neither scaling nor a choice of settings, so that a network
which does no better on the same folds has found nothing that the figures do not hold.

    model = Forest().fit(train, seed=0)
    model.predict_proba((figures,))         # (n, 2): the mean of the trees

The trees are kept as arrays: of each node what it asks, where it leads, the classes' shares.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from emolab.core.errors import ModelError, NotFitted
from emolab.models.classifier import Input, Spec, Told
from emolab.models.examples import Examples, Rows
from emolab.models.tabular import check_classes, keep, kept, matching, table_of, told_classes, told_number

TREES = 300
FIGURES = 128
LEAF = -1
LARGEST = 3e38  # trees compare in single precision
AT_ONCE = 1 << 22  # rows times trees

Array = NDArray[np.float64]


class Forest:
    """`trees` that grow until each leaf holds one class; `leaf`: rows that a leaf must keep."""

    name = "forest"
    of = Spec(
        "random forest on 128 features",
        "Breiman 2001, doi:10.1023/A:1010933404324",
        (Input("eda_features", (FIGURES,), "hand-crafted figures"),),
        2,
        None,
    )

    def __init__(self, trees: int = TREES, leaf: int = 1) -> None:
        self.trees, self.leaf = trees, leaf
        self.classes: tuple[str, ...] = ()
        self.arrays: dict[str, NDArray[Any]] = {}

    @property
    def spec(self) -> Spec:
        """Its paper, what goes in, how many classes come out."""
        return replace(self.of, classes=max(len(self.classes), 2))

    def fit(
        self,
        train: Examples,
        valid: Examples | None = None,
        *,
        seed: int = 0,
        on_epoch: Told | None = None,
        folder: Path | None = None,
    ) -> Self:
        """Learn from `train` alone; nothing is stopped early. `seed`: what rows and columns a tree sees."""
        from sklearn.ensemble import RandomForestClassifier

        check_classes(train.labels, train.classes, self.name)
        table = _single(table_of(train.inputs, self.of))
        grown = RandomForestClassifier(
            self.trees, min_samples_leaf=self.leaf, class_weight="balanced", random_state=seed
        ).fit(table, train.labels)
        trees = [tree.tree_ for tree in grown.estimators_]
        roots = np.cumsum([0, *(tree.node_count for tree in trees[:-1])])
        values = np.zeros((sum(tree.node_count for tree in trees), len(train.classes)))
        values[:, grown.classes_] = np.concatenate([tree.value[:, 0] for tree in trees])
        self.classes = train.classes
        self.arrays = {
            "roots": roots.astype(np.int32),
            "left": _joined([tree.children_left for tree in trees], roots),
            "right": _joined([tree.children_right for tree in trees], roots),
            "column": np.concatenate([np.maximum(tree.feature, 0) for tree in trees]).astype(np.int32),
            "threshold": np.concatenate([tree.threshold for tree in trees]),
            "shares": values / values.sum(1, keepdims=True),
        }
        return self

    def predict_proba(self, inputs: Sequence[Rows]) -> Array:
        """`(n, classes)`, rows of sum 1; a class that was not there to learn has 0."""
        if not self.arrays:
            raise NotFitted("the forest has learnt nothing yet; fit it, or load it")
        table = _single(table_of(inputs, self.of))
        step = max(AT_ONCE // len(self.arrays["roots"]), 1)
        parts = [self._shares(table[at : at + step]) for at in range(0, len(table), step)]
        return np.concatenate(parts) if parts else np.zeros((0, len(self.classes)))

    def _shares(self, table: NDArray[np.float32]) -> Array:
        """All rows go down all trees at once."""
        left, right = self.arrays["left"], self.arrays["right"]
        column, threshold = self.arrays["column"], self.arrays["threshold"]
        rows = np.repeat(np.arange(len(table)), len(self.arrays["roots"]))
        at = np.tile(self.arrays["roots"], len(table))
        going = np.flatnonzero(left[at] != LEAF)
        while len(going):
            here = at[going]
            is_left = table[rows[going], column[here]] <= threshold[here]
            at[going] = np.where(is_left, left[here], right[here])
            going = going[left[at[going]] != LEAF]
        return np.asarray(self.arrays["shares"][at].reshape(len(table), -1, len(self.classes)).mean(1))

    def save(self, folder: Path) -> None:
        """Write card and arrays into `folder`."""
        if not self.arrays:
            raise NotFitted("the forest has learnt nothing that could be saved")
        facts = {"classes": list(self.classes), "trees": self.trees, "leaf": self.leaf}
        keep(folder, self.name, self.arrays, facts)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """What `save` wrote; `ModelError` for anything else, also for trees that lead nowhere."""
        arrays, card = kept(folder, cls.name)
        model = cls()
        model.classes = told_classes(card, folder)
        each: dict[str, tuple[int | str, ...]] = dict.fromkeys(
            ("left", "right", "column", "threshold"), ("nodes",)
        )
        matching(arrays, {**each, "roots": ("trees",), "shares": ("nodes", len(model.classes))}, folder)
        if any(arrays[name].dtype.kind != "i" for name in ("roots", "left", "right", "column")):
            raise ModelError(f"{folder} holds trees whose nodes have no whole numbers")
        nodes = np.arange(len(arrays["left"]))
        ends = arrays["left"] == LEAF
        for name in ("left", "right"):  # downwards only, so that every way ends
            if not np.all(ends | ((arrays[name] > nodes) & (arrays[name] < len(nodes)))):
                raise ModelError(f"{folder} holds trees that lead nowhere")
        for name, end in (("roots", len(nodes)), ("column", FIGURES)):
            if not len(arrays[name]) or arrays[name].min() < 0 or arrays[name].max() >= end:
                raise ModelError(f"{folder} holds trees that ask for what is not there")
        model.trees, model.leaf = len(arrays["roots"]), int(told_number(card, "leaf", 1, folder))
        model.arrays = arrays
        return model


def _single(table: Array) -> NDArray[np.float32]:
    return np.clip(table, -LARGEST, LARGEST).astype(np.float32)


def _joined(children: list[NDArray[np.int64]], roots: NDArray[np.int64]) -> NDArray[np.int32]:
    """Children counted over all trees; −1 of a leaf stays."""
    moved = [np.where(own < 0, LEAF, own + root) for own, root in zip(children, roots, strict=True)]
    return np.concatenate(moved).astype(np.int32)
