"""`emolab models list`: the models that read states from a body."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from emolab.cli.arguments import parser, print_json

if TYPE_CHECKING:
    from emolab.models.choices import Choice
    from emolab.models.classifier import Spec


def models(arguments: list[str]) -> int:
    """Print each model with its paper, its input, how many numbers it learns and what can be set of it."""
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
    """A model as JSON; `parameters` is null where that hangs on the data.

    `options`: what 'emolab train' can set of it; each value with the parameters it leads to.
    """
    from emolab.training.recipes import choices_of

    return {
        "name": name,
        "title": spec.name,
        "paper": spec.paper,
        "inputs": [
            {"modality": part.modality, "shape": list(part.shape), "what": part.what} for part in spec.inputs
        ],
        "classes": spec.classes,
        "parameters": spec.parameters,
        "options": [
            {
                "name": key,
                "what": choice.what,
                "usual": choice.usual,
                "values": [
                    {"value": value, "parameters": count}
                    for value, count in zip(choice.values, _counts(name, spec, key, choice), strict=True)
                ],
            }
            for key, choice in choices_of(name).items()
        ],
    }


def text(name: str, spec: Spec) -> str:
    """A model as a paragraph; what can be set with the parameters of each value, in the same order."""
    from emolab.models.choices import written
    from emolab.training.recipes import choices_of

    count = "parameters as the data have it" if spec.parameters is None else f"{spec.parameters:,} parameters"
    lines = [f"{name:<11} {spec.name}: {count}", f"{'':<11} {spec.paper}"]
    for part in spec.inputs:
        shape = " × ".join(str(size) for size in part.shape)
        lines.append(f"{'':<11} {part.modality} {shape}: {part.what}")
    for key, choice in choices_of(name).items():
        values = " | ".join(written(value) for value in choice.values)
        lines.append(f"{'':<11} --set {key}={values}: {choice.what}; usually {written(choice.usual)}")
        counts = _counts(name, spec, key, choice)
        if len(set(counts)) > 1:
            lines.append(f"{'':<15} {' | '.join(f'{one:,}' for one in counts)} parameters")
    return "\n".join(lines)


def _counts(name: str, spec: Spec, key: str, choice: Choice) -> list[int | None]:
    """How many numbers are learnt with each value of a choice; those of the network's recipe change none."""
    from emolab.models.choices import choices_of
    from emolab.models.classifier import make

    if key not in choices_of(name):
        return [spec.parameters] * len(choice.values)
    return [make(name, **{key: value}).spec.parameters for value in choice.values]
