"""Three convolutions over the 128 hand-crafted figures of skin conductance: what RTCAN-1D is compared with.

Yin et al. 2022, doi:10.1145/3490686, say "3 layers, basic convolution"; widths, kernel and the classifier
are those of RTCAN-1D (specification 03 §3.3). It slides over figures that have no order but the list's own,
so that a better model must beat it and no more is to be read out of it.

    network = FeatureCnn()              # 74,946 parameters
    logits = network(features)          # (n, 128) of signals.eda.features, z-scored by training rows → (n, 2)
"""

from __future__ import annotations

from torch import Tensor, nn

from emolab.core.errors import WrongInput
from emolab.models.classifier import Input, Spec

PAPER = "Yin et al. 2022, doi:10.1145/3490686"
FEATURES = 128
WIDTH = 64
LAYERS = 3


class FeatureCnn(nn.Module):
    """The 3-layer CNN of RTCAN-1D's comparison; begins after He, as RTCAN-1D does."""

    def __init__(self, *, classes: int = 2) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for k in range(LAYERS):
            before = WIDTH if k else 1
            layers += [nn.Conv1d(before, WIDTH, 3, padding=1, bias=False), nn.BatchNorm1d(WIDTH), nn.ReLU()]
        self.layers = nn.Sequential(*layers)
        self.classifier = nn.Sequential(
            nn.Linear(WIDTH, 256), nn.ReLU(), nn.Linear(256, 128), nn.ReLU(), nn.Linear(128, classes)
        )
        for part in self.modules():
            if isinstance(part, nn.Conv1d | nn.Linear):
                nn.init.kaiming_normal_(part.weight)
                if part.bias is not None:
                    nn.init.zeros_(part.bias)
        figures = Input("eda_features", (FEATURES,), "hand-crafted figures, z-scored by the training rows")
        count = sum(weight.numel() for weight in self.parameters())
        self.spec = Spec("3-layer CNN on 128 features", PAPER, (figures,), classes, count)

    def forward(self, features: Tensor) -> Tensor:
        """`features` `(n, 128)` → `(n, 2)` logits."""
        if features.shape[1:] != (FEATURES,):
            raise WrongInput(f"the CNN takes features (n, {FEATURES}), not {tuple(features.shape)}")
        return self.classifier(self.layers(features.unsqueeze(1)).mean(2))
