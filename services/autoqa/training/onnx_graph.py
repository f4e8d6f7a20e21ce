"""Writes the network as an int8 ONNX graph by hand: fused operators of ONNX Runtime, fixed activation scales.

    ids -> int8 rows -> [3 MatMul, Attention, MatMul, LayerNorm, MatMul, Gelu, MatMul, LayerNorm] x n
        -> label attention in fp32 -> logits, contributions; states of three layers as they pass by

Three choices matter:

- Activation scales are constants, measured on training messages (ranges.py), not taken from each batch as
  dynamic quantisation does. So an answer does not depend on what else is in the batch, and it is faster.
- A few channels of a transformer's activations are many times larger than the rest. Each channel is divided
  by (its largest activation)^0.75 / (its largest weight)^0.25 before rounding and the weights are multiplied
  by it, which changes nothing but the rounding (SmoothQuant, Xiao et al. 2023; of exponents
  0.35 to 0.8 the upper end agreed best with fp32).
- Weights use 7 bits (-64..63), one scale a column: on AVX2 without VNNI, products of 8-bit pairs saturate
  16 bits (255 * 127 * 2 > 32767). ONNX Runtime's documentation calls this `reduce_range`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from services.autoqa.model.files import STATES, state_depths
from services.autoqa.model.network import EncoderShape

Floats = NDArray[np.float32]
Ranges = Mapping[str, Floats]
"""(3, channels): lowest, highest and mean input of each quantised linear layer."""

_MICROSOFT: Final = "com.microsoft"
_OPSET: Final = 17
_WEIGHT_MAX: Final = 63
_SMOOTHING: Final = 0.75
_ALL: Final = slice(None)
_ONE: Final = np.float32(1)


def quantize_columns(weight: Floats) -> tuple[NDArray[np.int8], Floats]:
    """Symmetric 7-bit weights (inputs, outputs) and one scale an output."""
    scale = np.maximum(np.abs(weight).max(axis=0), 1e-8).astype(np.float32) / np.float32(_WEIGHT_MAX)
    return np.clip(np.rint(weight / scale), -_WEIGHT_MAX, _WEIGHT_MAX).astype(np.int8), scale


def quantize_rows(table: Floats) -> tuple[NDArray[np.int8], Floats]:
    """Symmetric 8-bit rows of an embedding table and one scale a row."""
    scale = np.maximum(np.abs(table).max(axis=1, keepdims=True), 1e-8).astype(np.float32) / np.float32(127)
    return np.rint(table / scale).astype(np.int8), scale


def smoothing(bounds: Floats, weight: Floats) -> Floats:
    """One divisor a channel for activations of these bounds that meet `weight` (inputs, outputs)."""
    activation = np.maximum(np.abs(bounds[:2]).max(axis=0), 1e-5)
    strength = np.maximum(np.abs(weight).max(axis=1), 1e-5)
    divisor: Floats = (activation**_SMOOTHING / strength ** (1 - _SMOOTHING)).astype(np.float32)
    return divisor


def activation_scale(low: float, high: float) -> tuple[Floats, NDArray[np.uint8]]:
    """Scale and zero point of unsigned 8-bit activations for a range that includes 0."""
    low, high = min(low, 0.0), max(high, 0.0)
    scale = np.float32(max(high - low, 1e-8) / 255)
    return np.array(scale), np.array(np.clip(np.rint(-low / scale), 0, 255), dtype=np.uint8)


class _Graph:
    """Nodes and constants under construction."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def constant(self, name: str, value: NDArray[Any]) -> str:
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def node(self, op: str, inputs: list[str], output: str, domain: str = "", **attributes: Any) -> str:
        self.nodes.append(
            helper.make_node(op, inputs, [output], name=f"{output}.node", domain=domain, **attributes)
        )
        return output


def build_graph(state: Mapping[str, Floats], shape: EncoderShape, ranges: Ranges) -> onnx.ModelProto:
    """The whole model; `state` holds the reference weights under the network's names."""
    graph = _Graph()
    hidden = _embeddings(graph, state, shape)
    depths = [hidden]
    for index in range(shape.num_hidden_layers):
        hidden = _layer(graph, state, shape, ranges, f"layers.{index}", hidden)
        depths.append(hidden)
    _heads(graph, state, hidden)
    for name, layers in zip(STATES, state_depths(shape.num_hidden_layers), strict=True):
        graph.node("Identity", [depths[layers]], name)
    matrix = ["batch", "tokens"]
    labels = len(state["heads.bias"])
    proto = helper.make_graph(
        graph.nodes,
        "message_model",
        [
            helper.make_tensor_value_info("ids", TensorProto.INT64, matrix),
            helper.make_tensor_value_info("mask", TensorProto.INT32, matrix),
            helper.make_tensor_value_info("own", TensorProto.FLOAT, matrix),
        ],
        [
            helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", labels]),
            helper.make_tensor_value_info("contributions", TensorProto.FLOAT, [*matrix, labels]),
            *(
                helper.make_tensor_value_info(name, TensorProto.FLOAT, [*matrix, shape.hidden_size])
                for name in STATES
            ),
        ],
        graph.constants,
    )
    opsets = [helper.make_opsetid("", _OPSET), helper.make_opsetid(_MICROSOFT, 1)]
    return helper.make_model(proto, opset_imports=opsets, ir_version=8, producer_name="pruefstein")


def _embeddings(graph: _Graph, state: Mapping[str, Floats], shape: EncoderShape) -> str:
    rows, scale = quantize_rows(state["words.weight"])
    word = graph.node("Gather", [graph.constant("words.int8", rows), "ids"], "words.rows")
    factor = graph.node("Gather", [graph.constant("words.scale", scale), "ids"], "words.factor")
    word = graph.node("Cast", [word], "words.cast", to=TensorProto.FLOAT)
    word = graph.node("Mul", [word, factor], "words.float")
    size = graph.node("Shape", ["ids"], "ids.shape")
    length = graph.node("Gather", [size, graph.constant("one", np.array([1]))], "ids.length")
    zero = graph.constant("zero", np.array([0]))
    table = graph.constant("positions", state["positions.weight"])
    places = graph.node("Slice", [table, zero, length, zero], "positions.used")
    total = graph.node("Add", [word, places], "embedded")
    return graph.node(
        "LayerNormalization",
        [
            total,
            graph.constant("embedding_norm.weight", state["embedding_norm.weight"]),
            graph.constant("embedding_norm.bias", state["embedding_norm.bias"]),
        ],
        "embedding",
        axis=-1,
        epsilon=shape.layer_norm_eps,
    )


def _layer(
    graph: _Graph,
    state: Mapping[str, Floats],
    shape: EncoderShape,
    ranges: Ranges,
    name: str,
    hidden: str,
) -> str:
    width = shape.hidden_size
    quantized = _quantized(graph, state, ranges, f"{name}.qkv", hidden)
    query, key = (
        _product(graph, quantized, f"{name}.qkv.{part}", rows=slice(i * width, (i + 1) * width))
        for i, part in enumerate(("query", "key"))
    )
    # Attention mixes values linearly, so what smooths its result can be done to the values' weights.
    after = f"{name}.attention_out"
    divisor = smoothing(ranges[after], state[f"{after}.weight"].T)
    value = _product(graph, quantized, f"{name}.qkv.value", rows=slice(2 * width, 3 * width), divisor=divisor)
    mixed = graph.node(
        "MultiHeadAttention",
        [query, key, value, "", "mask"],
        f"{name}.mixed",
        domain=_MICROSOFT,
        num_heads=shape.num_attention_heads,
    )
    mixed = _product(graph, _quantized(graph, state, ranges, after, mixed, is_smooth=True), after)
    hidden = _add_and_norm(graph, state, shape, f"{name}.attention_norm", mixed, hidden)
    inner = _linear(graph, state, ranges, f"{name}.up", hidden)
    inner = graph.node("Gelu", [inner], f"{name}.gelu", domain=_MICROSOFT)
    inner = _linear(graph, state, ranges, f"{name}.down", inner)
    return _add_and_norm(graph, state, shape, f"{name}.norm", inner, hidden)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Quantized:
    """Names of a rounded activation, its scale and zero point; the weight and bias that it meets."""

    value: str
    scale: str
    zero: str
    mean: Floats
    weight: Floats
    bias: Floats


def _quantized(
    graph: _Graph,
    state: Mapping[str, Floats],
    ranges: Ranges,
    name: str,
    value: str,
    *,
    is_smooth: bool = False,
) -> _Quantized:
    """Rounds what the linear layer `name` reads; its weight takes in the smoothing."""
    weight = state[f"{name}.weight"].T
    divisor = smoothing(ranges[name], weight)
    low, high, mean = ranges[name] / divisor
    scale_value, zero_value = activation_scale(float(low.min()), float(high.max()))
    if not is_smooth:
        value = graph.node("Mul", [value, graph.constant(f"{name}.smoothing", 1 / divisor)], f"{name}.smooth")
    scale = graph.constant(f"{name}.in_scale", scale_value)
    zero = graph.constant(f"{name}.in_zero", zero_value)
    return _Quantized(
        value=graph.node("QuantizeLinear", [value, scale, zero], f"{name}.in"),
        scale=scale,
        zero=zero,
        mean=mean,
        weight=weight * divisor[:, None],
        bias=state[f"{name}.bias"],
    )


def _product(
    graph: _Graph,
    quantized: _Quantized,
    name: str,
    *,
    rows: slice = _ALL,
    divisor: Floats | np.float32 = _ONE,
) -> str:
    """The outputs `rows` of the linear layer divided by `divisor`, in fp32."""
    weight = quantized.weight[:, rows] / divisor
    rounded, scale = quantize_columns(weight)
    # What rounding the weights does to the average output is taken back (Nagel et al. 2019).
    shift = quantized.mean @ (weight - rounded * scale)
    return graph.node(
        "MatMulIntegerToFloat",
        [
            quantized.value,
            graph.constant(f"{name}.int8", rounded),
            quantized.scale,
            graph.constant(f"{name}.scale", scale),
            quantized.zero,
            graph.constant(f"{name}.zero", np.zeros(len(scale), dtype=np.int8)),
            graph.constant(f"{name}.bias", (quantized.bias[rows] / divisor + shift).astype(np.float32)),
        ],
        f"{name}.out",
        domain=_MICROSOFT,
    )


def _linear(graph: _Graph, state: Mapping[str, Floats], ranges: Ranges, name: str, value: str) -> str:
    return _product(graph, _quantized(graph, state, ranges, name, value), name)


def _add_and_norm(
    graph: _Graph, state: Mapping[str, Floats], shape: EncoderShape, name: str, value: str, residual: str
) -> str:
    """Two operators: the joined SkipLayerNormalization takes five times as long on a CPU."""
    return graph.node(
        "LayerNormalization",
        [
            graph.node("Add", [value, residual], f"{name}.sum"),
            graph.constant(f"{name}.weight", state[f"{name}.weight"]),
            graph.constant(f"{name}.bias", state[f"{name}.bias"]),
        ],
        name,
        axis=-1,
        epsilon=shape.layer_norm_eps,
    )


def _heads(graph: _Graph, state: Mapping[str, Floats], hidden: str) -> None:
    """The formula of network.py; fp32, it is 0.2 % of the work."""
    width = state["heads.query"].shape[1]
    query = graph.constant("heads.query", state["heads.query"].T / np.float32(width**0.5))
    scores = graph.node("MatMul", [hidden, query], "heads.scores")
    own = graph.node("Unsqueeze", ["own", graph.constant("last", np.array([-1]))], "own.column")
    one = graph.constant("one.float", np.array(1, dtype=np.float32))
    other = graph.node("Sub", [one, own], "other.column")
    away = graph.node("Mul", [other, graph.constant("away", np.array(-1e4, dtype=np.float32))], "heads.away")
    masked = graph.node("Add", [graph.node("Mul", [scores, own], "heads.own"), away], "heads.masked")
    weights = graph.node("Softmax", [masked], "heads.weights", axis=1)
    values = graph.node(
        "MatMul", [hidden, graph.constant("heads.value", state["heads.value"].T)], "heads.values"
    )
    product = graph.node("Mul", [weights, values], "heads.product")
    graph.node("Mul", [product, own], "contributions")
    axis = graph.constant("tokens.axis", np.array([1]))
    total = graph.node("ReduceSum", ["contributions", axis], "heads.sum", keepdims=0)
    graph.node("Add", [total, graph.constant("heads.bias", state["heads.bias"])], "logits")
