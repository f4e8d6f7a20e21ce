"""The network in torch: a BERT encoder and label-wise attention over the message's own tokens.

    logit_l = sum_t softmax_t(q_l . h_t / sqrt(d)) * (v_l . h_t) + b_l

The sum is over tokens, so each token's addend is its exact contribution to the logit and no second pass is
needed to explain an answer. With q = 0, as training starts, this is a linear layer on the mean of the tokens.
Label-wise attention: Mullenbach et al. 2018 (CAML), here with value and output projection joined.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import torch
from torch import Tensor, nn
from torch.nn import functional

from services.autoqa.model.labels import LABELS


@dataclass(frozen=True, slots=True, kw_only=True)
class EncoderShape:
    """Sizes of the encoder, named as in a Hugging Face `config.json`."""

    vocab_size: int
    hidden_size: int
    num_hidden_layers: int
    num_attention_heads: int
    intermediate_size: int
    max_position_embeddings: int
    type_vocab_size: int
    layer_norm_eps: float

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> "EncoderShape":
        """Reads the fields it knows and ignores the rest."""
        return cls(**{name: config[name] for name in cls.__slots__})


class Layer(nn.Module):
    """One post-norm transformer layer with query, key and value in one product."""

    def __init__(self, shape: EncoderShape, dropout: float) -> None:
        super().__init__()
        hidden, eps = shape.hidden_size, shape.layer_norm_eps
        self.heads = shape.num_attention_heads
        self.dropout = dropout
        self.qkv = nn.Linear(hidden, 3 * hidden)
        self.attention_out = nn.Linear(hidden, hidden)
        self.attention_norm = nn.LayerNorm(hidden, eps=eps)
        self.up = nn.Linear(hidden, shape.intermediate_size)
        self.down = nn.Linear(shape.intermediate_size, hidden)
        self.norm = nn.LayerNorm(hidden, eps=eps)

    def forward(self, hidden: Tensor, mask: Tensor) -> Tensor:
        """`hidden` (batch, tokens, hidden), `mask` (batch, 1, 1, tokens) true where a token is."""
        batch, tokens, width = hidden.shape
        qkv = self.qkv(hidden).view(batch, tokens, 3, self.heads, width // self.heads)
        query, key, value = qkv.permute(2, 0, 3, 1, 4).unbind(0)
        # Backwards on a CPU, torch's fused attention takes three times as long as the plain products.
        fused = query.is_cuda or not self.training
        attend = functional.scaled_dot_product_attention if fused else _plain_attention
        mixed = attend(query, key, value, attn_mask=mask)
        mixed = self.attention_out(mixed.transpose(1, 2).reshape(batch, tokens, width))
        hidden = self.attention_norm(hidden + self._drop(mixed))
        normed: Tensor = self.norm(hidden + self._drop(self.down(functional.gelu(self.up(hidden)))))
        return normed

    def _drop(self, values: Tensor) -> Tensor:
        return drop_channels(values, self.dropout) if self.training else values


def _plain_attention(query: Tensor, key: Tensor, value: Tensor, *, attn_mask: Tensor) -> Tensor:
    scores = (query * query.shape[-1] ** -0.5) @ key.transpose(-1, -2)
    weights: Tensor = scores.masked_fill(~attn_mask, -1e4).softmax(dim=-1)
    return weights.to(value.dtype) @ value


def drop_channels(values: Tensor, share: float) -> Tensor:
    """Dropout with one mask for all tokens of a row of (batch, tokens, channels).

    Gal and Ghahramani 2016; it draws a hundredth of the random numbers, which a CPU is slow at.
    """
    kept = torch.rand(values.shape[0], 1, values.shape[2], device=values.device) >= share
    return values * (kept.to(values.dtype) / (1 - share))


class LabelAttention(nn.Module):
    """All heads at once; see the module's formula."""

    def __init__(self, hidden: int, labels: int) -> None:
        super().__init__()
        self.query = nn.Parameter(torch.zeros(labels, hidden))
        self.value = nn.Parameter(torch.randn(labels, hidden) * 0.02)
        self.bias = nn.Parameter(torch.zeros(labels))

    def forward(self, hidden: Tensor, own: Tensor) -> tuple[Tensor, Tensor]:
        """Logits (batch, labels), contributions (batch, tokens, labels); `own` marks the message's tokens."""
        scores = hidden @ self.query.T * hidden.shape[-1] ** -0.5
        weights = scores.masked_fill(~own.unsqueeze(-1), -1e4).softmax(dim=1)
        contributions = weights * (hidden @ self.value.T) * own.unsqueeze(-1)
        return contributions.sum(dim=1) + self.bias, contributions


class MessageNetwork(nn.Module):
    """Encoder and heads."""

    def __init__(self, shape: EncoderShape, *, dropout: float = 0.0) -> None:
        super().__init__()
        hidden = shape.hidden_size
        self.dropout = dropout
        self.words = nn.Embedding(shape.vocab_size, hidden)
        self.positions = nn.Embedding(shape.max_position_embeddings, hidden)
        self.embedding_norm = nn.LayerNorm(hidden, eps=shape.layer_norm_eps)
        self.layers = nn.ModuleList(Layer(shape, dropout) for _ in range(shape.num_hidden_layers))
        self.heads = LabelAttention(hidden, len(LABELS))

    def forward(self, ids: Tensor, mask: Tensor, own: Tensor) -> tuple[Tensor, Tensor]:
        """Logits and contributions; `ids` int, `mask` and `own` bool, all (batch, tokens)."""
        states = self.states(ids, mask)
        if self.training:
            states = drop_channels(states, self.dropout)
        logits: Tensor
        logits, contributions = self.heads(states, own)
        return logits, contributions

    def states(self, ids: Tensor, mask: Tensor) -> Tensor:
        """The last layer's output (batch, tokens, hidden)."""
        *_, last = self.depths(ids, mask)
        return last

    def depths(self, ids: Tensor, mask: Tensor) -> Iterator[Tensor]:
        """The embeddings, then each layer's output, all (batch, tokens, hidden)."""
        places = torch.arange(ids.shape[1], device=ids.device)
        hidden: Tensor = self.embedding_norm(self.words(ids) + self.positions(places))
        yield hidden
        for layer in self.layers:
            hidden = layer(hidden, mask[:, None, None, :])
            yield hidden


_LAYER_NAMES: Final = {
    "attention_out": "attention.output.dense",
    "attention_norm": "attention.output.LayerNorm",
    "up": "intermediate.dense",
    "down": "output.dense",
    "norm": "output.LayerNorm",
}


def load_base(network: MessageNetwork, base: Mapping[str, Tensor]) -> None:
    """Copies a Hugging Face BERT's weights; the token type's constant vector moves into the positions."""
    state = {name.removeprefix("bert."): tensor.float() for name, tensor in base.items()}
    with torch.no_grad():
        network.words.weight.copy_(state["embeddings.word_embeddings.weight"])
        kind = state["embeddings.token_type_embeddings.weight"][0]
        network.positions.weight.copy_(state["embeddings.position_embeddings.weight"] + kind)
        for part in ("weight", "bias"):
            getattr(network.embedding_norm, part).copy_(state[f"embeddings.LayerNorm.{part}"])
            for index, layer in enumerate(network.layers):
                source = f"encoder.layer.{index}"
                joined = [state[f"{source}.attention.self.{n}.{part}"] for n in ("query", "key", "value")]
                getattr(layer.get_submodule("qkv"), part).copy_(torch.cat(joined))
                for ours, theirs in _LAYER_NAMES.items():
                    getattr(layer.get_submodule(ours), part).copy_(state[f"{source}.{theirs}.{part}"])
