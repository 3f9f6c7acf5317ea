"""A marked file held against a pydantic model: the model, or one sentence saying what is wrong."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.fields import FieldInfo

from emolab.core.errors import ConfigError, shown
from emolab.protocol.marked import Key, Marked, dotted

Text = Annotated[str, Field(min_length=1)]


class Section(BaseModel):
    """Base of every section of a file: unknown keys and silent conversions are errors."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


M = TypeVar("M", bound=Section)

# pydantic's name for what is wrong -> ours, with the remedy
_MESSAGES = {
    "float_type": "must be a number, not {got}; write it without quotes or unit",
    "float_parsing": "must be a number, not {got}; write it without quotes or unit",
    "finite_number": "must be a finite number, not {got}",
    "int_type": "must be a whole number, not {got}; write it without quotes or unit",
    "int_from_float": "must be a whole number, not {got}",
    "string_type": "must be text, not {got}; put it in quotes",
    "string_too_short": "is empty; write the text after the colon",
    "bool_type": "must be true or false, not {got}",
    "literal_error": "is {got}; it must be {expected}",
    "greater_than": "is {got}; it must be more than {gt}",
    "greater_than_equal": "is {got}; it must be {ge} or more",
    "less_than_equal": "is {got}; it must be {le} or less",
    "tuple_type": "must be a list such as [240, 300], not {got}",
    "list_type": "must be a list such as [sad, disgust, angry], not {got}",
    "too_short": "has {actual_length} entries; it must have {min_length}",
    "too_long": "has {actual_length} entries; it must have {max_length}",
    "dict_type": "must be a section of keys, not {got}; indent its keys below it",
    "model_type": "must be a section of keys, not {got}; indent its keys below it",
}


def validate(model: type[M], marked: Marked) -> M:
    """`marked.data` as `model`. Raises `ConfigError` for the first thing wrong, counting the others."""
    try:
        return model.model_validate(marked.data)
    except ValidationError as error:
        # a misspelt key is also a missing one: speak of the misspelling
        faults = sorted(error.errors(), key=lambda f: (f["type"] != "extra_forbidden", marked.line(f["loc"])))
    first = marked.error(faults[0]["loc"], _explain(model, faults[0]))
    more = f" ({len(faults) - 1} more to mend in this file)" if len(faults) > 1 else ""
    raise ConfigError(f"{first}{more}")


def unknown(name: str, known: list[str] | tuple[str, ...]) -> str:
    """What to say of a word that is none of `known`."""
    near = get_close_matches(name, known, n=1)
    return (
        f"did you mean {near[0]!r}? Known are {', '.join(known)}"
        if near
        else f"use one of {', '.join(known)}"
    )


def _explain(model: type[Section], fault: Any) -> str:
    key: Key = fault["loc"]
    name = str(key[-1]) if key else ""
    if fault["type"] == "extra_forbidden":
        return f"unknown key; {unknown(name, list(_fields(model, key[:-1])))}"
    if fault["type"] == "missing" and isinstance(key[-1], int):
        return "is missing from the list; add it, such as [240, 300]"
    if fault["type"] == "missing":
        examples = _fields(model, key[:-1])[name].examples
        example = f", such as '{name}: {examples[0]}'" if examples else ""
        return f"is missing; add it{example}" + (f" below '{dotted(key[:-1])}'" if len(key) > 1 else "")
    template = _MESSAGES.get(fault["type"], "{msg}; compare with a shipped file")
    return template.format(got=shown(fault["input"]), msg=fault["msg"], **fault.get("ctx", {}))


def _fields(model: type[Section], key: Key) -> dict[str, FieldInfo]:
    """The fields of the section at `key`, under the names used in the file."""
    for part in key:
        inner = model.model_fields[str(part)].annotation
        assert isinstance(inner, type) and issubclass(inner, Section)
        model = inner
    return {field.alias or name: field for name, field in model.model_fields.items()}
