"""`emolab models list`: the models that read states from a body."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from emolab.cli.arguments import parser, print_json

if TYPE_CHECKING:
    from emolab.models.classifier import Spec


def models(arguments: list[str]) -> int:
    """Print each model with its paper, its input and how many numbers it learns."""
    cli = parser("models", "The models that read states from a body.")
    verbs = cli.add_subparsers(dest="verb", required=True)
    listing = verbs.add_parser("list", help="each with its paper, its input and its parameters")
    listing.add_argument("--json", action="store_true", help="all of it as JSON")
    options = cli.parse_args(arguments)
    from emolab.models import MODELS
    from emolab.models.classifier import make

    specs = {name: make(name).spec for name in MODELS}
    if options.json:
        print_json([facts(name, spec) for name, spec in specs.items()])
    else:
        print("\n\n".join(text(name, spec) for name, spec in specs.items()))
    return 0


def facts(name: str, spec: Spec) -> dict[str, Any]:
    """A model as JSON; `parameters` is null where that hangs on the data."""
    return {
        "name": name,
        "title": spec.name,
        "paper": spec.paper,
        "inputs": [
            {"modality": part.modality, "shape": list(part.shape), "what": part.what} for part in spec.inputs
        ],
        "classes": spec.classes,
        "parameters": spec.parameters,
    }


def text(name: str, spec: Spec) -> str:
    """A model as a paragraph."""
    count = "parameters as the data have it" if spec.parameters is None else f"{spec.parameters:,} parameters"
    lines = [f"{name:<11} {spec.name}: {count}", f"{'':<11} {spec.paper}"]
    for part in spec.inputs:
        shape = " × ".join(str(size) for size in part.shape)
        lines.append(f"{'':<11} {part.modality} {shape}: {part.what}")
    return "\n".join(lines)
