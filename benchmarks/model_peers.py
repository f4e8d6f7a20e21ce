"""What the model's speed is measured beside: transformers in fp32, three ways to use it."""

from collections.abc import Callable, Sequence
from typing import Final

import torch
from transformers import (
    AutoConfig,
    AutoModel,
    AutoModelForSequenceClassification,
    AutoTokenizer,
    PreTrainedTokenizerFast,
    pipeline,
)

from services.autoqa.model.encode import Window
from services.autoqa.model.labels import FLAGS, LABELS, SENTIMENTS, SIGNALS, TONES
from services.autoqa.predictions import MessageInput
from shared.domain.labels import MessageFlag, Signal, Tone

Read = Callable[[Sequence[Window]], None]

BATCH: Final = 32
_PAD: Final = 1
_MAX_TOKENS: Final = 320
_CONTEXT_CHARS: Final = 256
"""About 64 tokens, as ours reads."""
_XLMR_BASE_VOCABULARY: Final = 250_002
_MDEBERTA_BASE_VOCABULARY: Final = 251_000
_SPECIAL_TOKENS: Final = {
    "bos_token": "<s>",
    "eos_token": "</s>",
    "sep_token": "</s>",
    "cls_token": "<s>",
    "pad_token": "<pad>",
    "unk_token": "<unk>",
}


def same_model(base: str) -> Callable[[Sequence[Sequence[Window]]], None]:
    """The base encoder with one linear layer for all labels; reads the batches one after another."""
    encoder = AutoModel.from_pretrained(base, add_pooling_layer=False, dtype=torch.float32).eval()
    heads = torch.nn.Linear(encoder.config.hidden_size, len(LABELS))

    def read(batches: Sequence[Sequence[Window]]) -> None:
        with torch.inference_mode():
            for batch in batches:
                width = max(len(window.ids) for window in batch)
                ids = torch.full((len(batch), width), _PAD)
                mask = torch.zeros(len(batch), width, dtype=torch.long)
                for row, window in enumerate(batch):
                    ids[row, : len(window.ids)] = torch.tensor(window.ids)
                    mask[row, : len(window.ids)] = 1
                states = encoder(input_ids=ids, attention_mask=mask).last_hidden_state
                heads((states * mask.unsqueeze(-1)).sum(1) / mask.sum(1, keepdim=True)).sigmoid().numpy()

    return read


def message_by_message(base: str) -> Read:
    """One window a call."""
    read = same_model(base)
    return lambda windows: read([[window] for window in windows])


def sorted_by_length(base: str) -> Read:
    """32 windows a call, neighbours in length."""
    read = same_model(base)

    def batched(windows: Sequence[Window]) -> None:
        order = sorted(windows, key=lambda window: len(window.ids))
        read([order[start : start + BATCH] for start in range(0, len(order), BATCH)])

    return batched


def head_pipelines(base: str) -> Callable[[Sequence[MessageInput]], None]:
    """The base encoder fine-tuned once a head and called message by message through `pipeline`.

    What a first implementation does: two calls a message, for sentiment and flags or for signals and tone.
    """
    tokenizer = AutoTokenizer.from_pretrained(base)

    def classify(answers: int) -> Callable[[dict[str, str]], object]:
        model = AutoModelForSequenceClassification.from_pretrained(
            base, num_labels=answers, dtype=torch.float32
        ).eval()
        one: Callable[..., object] = pipeline(
            "text-classification", model=model, tokenizer=tokenizer, device=-1, top_k=None
        )
        return lambda pair: one(pair, truncation=True, max_length=_MAX_TOKENS)

    customer = (classify(len(SENTIMENTS)), classify(len(FLAGS)))
    agent = (classify(len(SIGNALS)), classify(len(TONES)))

    def read(messages: Sequence[MessageInput]) -> None:
        for message in messages:
            context = " ".join(turn.text for turn in message.context)[-_CONTEXT_CHARS:]
            for head in customer if message.role == "customer" else agent:
                head({"text": context, "text_pair": message.text})

    return read


def hub_pipelines(tokenizer_file: str) -> Callable[[Sequence[MessageInput]], None]:
    """One pipeline a task: sentiment shaped as XLM-R base, the rest by entailment shaped as mDeBERTa base.

    The weights are random: they take the same time. Only the message's own text is read.
    """
    tokenizer = PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]  # untyped there
        tokenizer_file=tokenizer_file,
        **_SPECIAL_TOKENS,
        model_max_length=512,
    )
    sentiment_model = AutoModelForSequenceClassification.from_config(  # type: ignore[no-untyped-call]
        AutoConfig.for_model(
            "xlm-roberta",
            vocab_size=_XLMR_BASE_VOCABULARY,
            max_position_embeddings=514,
            type_vocab_size=1,
            num_labels=3,
        )
    ).eval()
    entailment_model = AutoModelForSequenceClassification.from_config(  # type: ignore[no-untyped-call]
        AutoConfig.for_model(
            "deberta-v2",
            vocab_size=_MDEBERTA_BASE_VOCABULARY,
            hidden_size=768,
            num_hidden_layers=12,
            num_attention_heads=12,
            intermediate_size=3072,
            max_position_embeddings=512,
            type_vocab_size=0,
            relative_attention=True,
            position_buckets=256,
            norm_rel_ebd="layer_norm",
            share_att_key=True,
            pos_att_type=["p2c", "c2p"],
            max_relative_positions=-1,
            position_biased_input=False,
            num_labels=3,
            label2id={"entailment": 0, "neutral": 1, "contradiction": 2},
            id2label={0: "entailment", 1: "neutral", 2: "contradiction"},
        )
    ).eval()
    sentiment = pipeline("text-classification", model=sentiment_model, tokenizer=tokenizer, device=-1)
    entailment = pipeline("zero-shot-classification", model=entailment_model, tokenizer=tokenizer, device=-1)
    customer_labels = [str(flag) for flag in MessageFlag]
    agent_labels = [*(str(signal) for signal in Signal), *(str(tone) for tone in Tone)]

    def read(messages: Sequence[MessageInput]) -> None:
        for message in messages:
            text = message.text or "-"
            if message.role == "customer":
                sentiment(text, truncation=True)
                entailment(text, candidate_labels=customer_labels, multi_label=True)
            else:
                entailment(text, candidate_labels=agent_labels, multi_label=True)

    return read
