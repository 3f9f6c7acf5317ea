"""Our networks for onnxruntime, which on a CPU answers sooner than torch; outputs are equal to 1e-5.

    ask = opened(network.eval(), threads=1)         # None where onnxruntime is not installed
    logits = ask((curves, music))                   # arrays as of `network.spec.inputs`
    Path("rtcan.onnx").write_bytes(exported(network))

Curves go through as pictures one pixel high, `(n, maps, 1, length)`: onnxruntime lays out in blocks, as fits
the processor's registers, the maps of two-dimensional convolutions alone. Normalisations are folded into the
convolutions before them when the file is opened.

A network with a part of a new kind needs a function here that writes it, and a line in `PARTS`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from emolab.core.errors import ModelError
from emolab.models.feature_cnn import FeatureCnn
from emolab.models.moments import Convolution, Norm
from emolab.models.onnx_graph import Graph
from emolab.models.res_sin import ResSi, ResSin, Unit
from emolab.models.rtcan import LENGTH, Rtcan
from emolab.models.rtcan_blocks import CLIPS, ChannelAttention, Residual, TimeAttention

Ask = Callable[[tuple[NDArray[np.float32], ...]], NDArray[np.float32]]
ATTENDED = LENGTH // 2  # moments that RTCAN-1D's attentions cut into clips


def exported(network: nn.Module) -> bytes:
    """An ONNX file of a network of `MODELS`, as it is in evaluation mode; inputs "input_0" and "input_1".

    Raises `ModelError` for a network of another kind.
    """
    graph = Graph()
    spec: Any = getattr(network, "spec", None)
    if spec is None or type(network) not in WHOLE:
        raise ModelError(f"{type(network).__name__} has no way to ONNX; see models/onnx_networks.py")
    names = {f"input_{k}": one.shape for k, one in enumerate(spec.inputs)}
    return graph.content(names, WHOLE[type(network)](graph, network, *names))


def opened(network: nn.Module, threads: int = 1) -> Ask | None:
    """What gives the outputs of `network` as it is now; None where onnxruntime is not installed."""
    try:
        import onnxruntime
    except ImportError:
        return None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    # threads that wait by spinning would take the cores from a recording
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session = onnxruntime.InferenceSession(exported(network), options, providers=["CPUExecutionProvider"])
    return partial(_asked, session)


def _asked(session: Any, inputs: tuple[NDArray[np.float32], ...]) -> NDArray[np.float32]:
    return session.run(None, {f"input_{k}": one for k, one in enumerate(inputs)})[0]  # type: ignore[no-any-return]


def _rtcan(graph: Graph, network: Rtcan, curves: str, music: str | None = None) -> str:
    maps = _lain(graph, curves, 2)
    for part in (network.shallow, network.attention, network.stages, network.reduce, network.pool):
        maps = _write(graph, part, maps)
    logits = _write(graph, network.classifier, _beside(graph, maps, music))
    if network.options.authors_head:
        return graph.add("Softmax", logits, axis=1) if network.music else graph.add("Relu", logits)
    return logits


def _res_sin(graph: Graph, network: ResSin, images: str, music: str | None = None) -> str:
    maps = graph.add("Sub", images, graph.constant(_array(network.mean)))
    if network.channels != (0, 1, 2):
        maps = graph.add("Gather", maps, graph.constant(list(network.channels)), axis=1)
    found = _write(graph, network.subnet, maps)
    found = _beside(graph, _write(graph, network.standard, found), music)
    return _write(graph, network.classifier, found)


def _res_si(graph: Graph, subnet: ResSi, maps: str) -> str:
    return graph.add("GlobalAveragePool", _write(graph, subnet.stages, _write(graph, subnet.stem, maps)))


def _feature_cnn(graph: Graph, network: FeatureCnn, features: str) -> str:
    maps = _write(graph, network.layers, _lain(graph, features, 1, 2))
    found = graph.add("Flatten", graph.add("GlobalAveragePool", maps))
    return _write(graph, network.classifier, found)


def _beside(graph: Graph, maps: str, music: str | None) -> str:
    found = graph.add("Flatten", maps)
    return found if music is None else graph.add("Concat", found, music, axis=1)


def _channel_attention(graph: Graph, part: ChannelAttention, maps: str) -> str:
    clips = _clipped(graph, maps, part.clips)
    means = [graph.add("GlobalAveragePool", clip) for clip in clips]
    gates = _write(graph, part.gate, graph.add("Concat", *means, axis=3) if len(means) > 1 else means[0])
    if part.clips == 1:
        return graph.add("Mul", maps, gates)
    gated = [graph.add("Mul", clip, _slice(graph, gates, at, at + 1)) for at, clip in enumerate(clips)]
    return graph.add("Concat", *gated, axis=3)


def _time_attention(graph: Graph, part: TimeAttention, maps: str) -> str:
    queries, keys, values = (
        _clipped(graph, _write(graph, one, maps), CLIPS) for one in (part.query, part.key, part.value)
    )
    looked = []
    for query, key, value in zip(queries, keys, values, strict=True):
        asked = graph.add("Transpose", _flat(graph, query), perm=[0, 2, 1])
        alike = graph.add("MatMul", asked, _flat(graph, _write(graph, part.pooled, key)))
        told = graph.add("Transpose", _flat(graph, _write(graph, part.pooled, value)), perm=[0, 2, 1])
        seen = graph.add("MatMul", graph.add("Softmax", alike, axis=2), told)
        looked.append(graph.add("Transpose", seen, perm=[0, 2, 1]))
    together = _lain(graph, graph.add("Concat", *looked, axis=2), 2)
    return graph.add("Add", maps, _write(graph, part.out, together))


def _residual(graph: Graph, part: Residual, maps: str) -> str:
    attended = _write(graph, part.attention, maps)
    straight = maps if part.straight is None else _write(graph, part.straight, attended)
    return graph.add("Relu", graph.add("Add", _write(graph, part.layers, attended), straight))


def _unit(graph: Graph, part: Unit, maps: str) -> str:
    straight = maps if part.straight is None else _write(graph, part.straight, maps)
    return graph.add("Relu", graph.add("Add", _write(graph, part.layers, maps), straight))


def _convolution(graph: Graph, part: nn.Conv1d | nn.Conv2d, maps: str) -> str:
    weight = _array(part.weight)
    weight = weight[:, :, None] if weight.ndim == 3 else weight
    numbers = [weight] if part.bias is None else [weight, _array(part.bias)]
    pads = _two(part, part.padding, 0)
    return graph.add(
        "Conv",
        maps,
        *map(graph.constant, numbers),
        kernel_shape=list(weight.shape[2:]),
        strides=_two(part, part.stride, 1),
        pads=pads + pads,
    )


def _normalisation(graph: Graph, part: nn.BatchNorm1d | nn.BatchNorm2d, maps: str) -> str:
    mean, variance = part.running_mean, part.running_var
    assert mean is not None and variance is not None
    gain = np.ones(len(mean), np.float32) if part.weight is None else _array(part.weight)
    shift = np.zeros(len(mean), np.float32) if part.bias is None else _array(part.bias)
    numbers = map(graph.constant, (gain, shift, _array(mean), _array(variance)))
    return graph.add("BatchNormalization", maps, *numbers, epsilon=part.eps)


def _linear(graph: Graph, part: nn.Linear, rows: str) -> str:
    numbers = map(graph.constant, (_array(part.weight), _array(part.bias)))
    return graph.add("Gemm", rows, *numbers, transB=1)


def _pool(graph: Graph, part: nn.AvgPool1d | nn.MaxPool1d | nn.MaxPool2d, maps: str) -> str:
    kind = "AveragePool" if isinstance(part, nn.AvgPool1d) else "MaxPool"
    pads = _two(part, part.padding, 0)
    return graph.add(
        kind,
        maps,
        kernel_shape=_two(part, part.kernel_size, 1),
        strides=_two(part, part.stride, 1),
        pads=pads + pads,
    )


def _sequence(graph: Graph, parts: nn.Sequential, maps: str) -> str:
    for part in parts:
        maps = _write(graph, part, maps)
    return maps


def _write(graph: Graph, part: nn.Module, maps: str) -> str:
    if type(part) not in PARTS:
        raise ModelError(f"{type(part).__name__} has no way to ONNX; see models/onnx_networks.py")
    return PARTS[type(part)](graph, part, maps)


WHOLE: dict[type[nn.Module], Callable[..., str]] = {
    Rtcan: _rtcan,
    ResSin: _res_sin,
    FeatureCnn: _feature_cnn,
}
PARTS: dict[type[nn.Module], Callable[..., str]] = {
    ResSi: _res_si,
    Unit: _unit,
    ChannelAttention: _channel_attention,
    TimeAttention: _time_attention,
    Residual: _residual,
    nn.Sequential: _sequence,
    nn.Conv1d: _convolution,
    Convolution: _convolution,
    nn.Conv2d: _convolution,
    nn.BatchNorm1d: _normalisation,
    Norm: _normalisation,
    nn.BatchNorm2d: _normalisation,
    nn.Linear: _linear,
    nn.AvgPool1d: _pool,
    nn.MaxPool1d: _pool,
    nn.MaxPool2d: _pool,
    nn.ReLU: lambda graph, part, maps: graph.add("Relu", maps),
    nn.Sigmoid: lambda graph, part, maps: graph.add("Sigmoid", maps),
    nn.Identity: lambda graph, part, maps: maps,
}


def _clipped(graph: Graph, maps: str, clips: int) -> list[str]:
    """As `rtcan_blocks.clipped`."""
    if clips == 1:
        return [maps]
    bounds = [k * ATTENDED // clips for k in range(clips + 1)]
    return [_slice(graph, maps, *ends) for ends in pairwise(bounds)]


def _slice(graph: Graph, maps: str, begin: int, end: int) -> str:
    bounds = ([begin], [end], [3])
    return graph.add("Slice", maps, *map(graph.constant, bounds))


def _lain(graph: Graph, curves: str, *axes: int) -> str:
    """With axes of one: a curve becomes a picture one pixel high."""
    return graph.add("Unsqueeze", curves, graph.constant(list(axes)))


def _flat(graph: Graph, maps: str) -> str:
    return graph.add("Squeeze", maps, graph.constant([2]))


def _two(part: nn.Module, size: int | str | tuple[int, ...], other: int) -> list[int]:
    """Height and width; a curve's height is `other`."""
    assert not isinstance(size, str)
    sizes = list(size) if isinstance(size, tuple) else [size]
    if isinstance(part, nn.Conv2d | nn.MaxPool2d):
        return sizes if len(sizes) == 2 else sizes * 2
    return [other, *sizes]


def _array(numbers: Tensor) -> NDArray[np.float32]:
    return numbers.detach().cpu().float().numpy()
