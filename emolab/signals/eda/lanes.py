"""Eight numbers as one: a numba type whose arithmetic is that of a machine's wide registers.

A sweep in time cannot be split, but eight stretches can be swept side by side. LLVM's own vectoriser gives
up on such loops (eight is too few, and arrays might overlap), so the vector is spelt out: `Eight` adds,
subtracts, multiplies and divides with itself and with floats, lane by lane; machines with narrower
registers take several. Multiply and add may fuse; nothing else is loosened, so that NaN stays NaN.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import extending, types
from numba.core.typing.templates import ConcreteTemplate, infer_global, signature
from numba.extending import lower_builtin, models, register_model

WIDE = 8

intrinsic: Any = extending.intrinsic  # its own annotation hides that the typing argument is dropped

_VECTOR = ir.VectorType(ir.DoubleType(), WIDE)
_INDEX = ir.IntType(32)
_FUSED = ("contract",)


class Eight(types.Type):
    """The type of eight float64 side by side."""

    def __init__(self) -> None:
        super().__init__(name="Eight")


eight = Eight()


@register_model(Eight)
class _EightModel(models.PrimitiveModel):  # type: ignore[misc]
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, _VECTOR)


def _spread(builder: Any, value: Any) -> Any:
    undefined = ir.Constant(_VECTOR, ir.Undefined)
    first = builder.insert_element(undefined, value, _INDEX(0))
    zeros = ir.Constant(ir.VectorType(_INDEX, WIDE), [0] * WIDE)
    return builder.shuffle_vector(first, undefined, zeros)


def _teach(operation: Callable[..., Any], instruction: str) -> None:
    """Numba: `operation` on an Eight and an Eight or a float is this LLVM instruction."""
    pairs = ((eight, eight), (eight, types.float64), (types.float64, eight))

    @infer_global(operation)
    class _Typing(ConcreteTemplate):  # type: ignore[misc]
        cases = [signature(eight, *pair) for pair in pairs]  # noqa: RUF012

    def lower(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        one, other = (
            value if kind == eight else _spread(builder, value)
            for value, kind in zip(args, sig.args, strict=True)
        )
        return getattr(builder, instruction)(one, other, flags=_FUSED)

    for pair in pairs:
        lower_builtin(operation, *pair)(lower)


_teach(operator.add, "fadd")
_teach(operator.sub, "fsub")
_teach(operator.mul, "fmul")
_teach(operator.truediv, "fdiv")


def _place(context: Any, builder: Any, kind: Any, array: Any, at: Any) -> Any:
    data = context.make_array(kind)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [at]), _VECTOR.as_pointer())


@intrinsic
def load(typing: Any, array: Any, at: Any) -> Any:
    """`array[at : at + 8]` of a contiguous float64 array, unchecked."""

    def lower(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        found = builder.load(_place(context, builder, sig.args[0], *args))
        found.align = 8
        return found

    return eight(array, types.intp), lower


@intrinsic
def store(typing: Any, array: Any, at: Any, value: Any) -> Any:
    """`array[at : at + 8] = value`, unchecked."""

    def lower(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        kept = builder.store(args[2], _place(context, builder, sig.args[0], args[0], args[1]))
        kept.align = 8
        return context.get_dummy_value()

    return types.void(array, types.intp, value), lower


@intrinsic
def spread(typing: Any, value: Any) -> Any:
    """The same float in each lane."""

    def lower(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return _spread(builder, args[0])

    return eight(types.float64), lower


@intrinsic
def greater(typing: Any, one: Any, other: Any) -> Any:
    """The greater of two in each lane; `other` where one of them is NaN."""

    def lower(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        is_more = builder.fcmp_ordered(">", args[0], args[1])
        return builder.select(is_more, args[0], args[1])

    return eight(eight, eight), lower


@intrinsic
def within(typing: Any, at: Any, limit: Any) -> Any:
    """1.0 in the lanes whose `limit` is above the float `at`, 0.0 in the others."""

    def lower(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return builder.uitofp(builder.fcmp_ordered("<", _spread(builder, args[0]), args[1]), _VECTOR)

    return eight(types.float64, eight), lower


@intrinsic
def total(typing: Any, value: Any) -> Any:
    """The sum of the eight, a float."""

    def lower(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        found = builder.extract_element(args[0], _INDEX(0))
        for lane in range(1, WIDE):
            found = builder.fadd(found, builder.extract_element(args[0], _INDEX(lane)))
        return found

    return types.float64(eight), lower


@intrinsic
def highest(typing: Any, value: Any) -> Any:
    """The greatest of the eight, a float; none of them NaN."""

    def lower(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        found = builder.extract_element(args[0], _INDEX(0))
        for lane in range(1, WIDE):
            other = builder.extract_element(args[0], _INDEX(lane))
            found = builder.select(builder.fcmp_ordered(">", found, other), found, other)
        return found

    return types.float64(eight), lower
