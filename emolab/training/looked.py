"""Where a network looked: Grad-CAM of what it called, over the windows it was given.

heats(classifier, inputs)       # (n, 2500) from 0 to 1; None for models whose maps have no time
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from emolab.models.examples import Rows

if TYPE_CHECKING:
    from emolab.models.classifier import Classifier

AT_ONCE = 32  # windows


def heats(classifier: Classifier, inputs: Sequence[Rows]) -> NDArray[np.float32] | None:
    """How much each moment of each window spoke for the class called; see `models.grad_cam`."""
    network: Any = getattr(classifier, "network", None)
    has_time = len(classifier.spec.inputs[0].shape) == 2
    if network is None or not has_time or getattr(network, "attention", None) is None:
        return None
    import torch

    from emolab.models.grad_cam import grad_cam
    from emolab.training.network import NetworkClassifier

    assert isinstance(classifier, NetworkClassifier)
    batches = classifier._batches(inputs, np.zeros(len(inputs[0]), np.int64))  # scaled as it has learnt
    found = [grad_cam(network, *some) for some, _ in batches.in_order(AT_ONCE)]
    return np.asarray(torch.cat(found).cpu().numpy(), np.float32)
