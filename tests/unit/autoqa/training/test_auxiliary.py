"""Neighbouring tasks are read from public sets as they lie there."""

import gzip
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch

from services.autoqa.training.auxiliary import load_auxiliary
from services.autoqa.training.lessons import AuxiliaryHeads


def _write(folder: Path, task: str, records: Iterable[dict[str, Any]]) -> None:
    (folder / task).mkdir()
    with gzip.open(folder / task / "train.jsonl.gz", "wt", encoding="utf-8") as file:
        file.writelines(json.dumps(record) + "\n" for record in records)


def test_a_set_that_is_missing_is_left_out(tmp_path: Path) -> None:
    """Whoever has only some of the sets trains on these."""
    _write(
        tmp_path, "banking77_en", [{"text": "card lost", "label": "lost"}, {"text": "fee", "label": "fee"}]
    )
    data = load_auxiliary(tmp_path, seed=1)
    assert {example.task for example in data.examples} == {"banking77_en"}
    assert data.answers == {"banking77_en": 3}


def test_a_dialogue_gives_the_agents_turns_with_what_was_said_before(tmp_path: Path) -> None:
    """Customers' acts are not asked for; an agent's first act is the answer."""
    messages = [
        {"role": "customer", "text": "hello", "act": ["GREET"]},
        {"role": "agent", "text": "which city?", "act": ["REQUEST"]},
        {"role": "customer", "text": "Bonn"},
        {"role": "agent", "text": "bye", "act": ["GOODBYE", "REQ_MORE"]},
    ]
    _write(tmp_path, "sgd_acts_en", [{"messages": messages}])
    data = load_auxiliary(tmp_path, seed=1)
    assert sorted(e.message.text for e in data.examples) == ["bye", "which city?"]
    (last,) = [e.message for e in data.examples if e.message.text == "bye"]
    assert [turn.text for turn in last.context] == ["hello", "which city?", "Bonn"]


def test_rare_answers_share_the_last_place(tmp_path: Path) -> None:
    """So that a task has a bounded number of answers."""
    records = [{"text": f"{n}", "label": f"common-{n % 64}"} for n in range(640)]
    _write(tmp_path, "massive_de", [*records, {"text": "x", "label": "rare"}, {"text": "y", "label": "odd"}])
    data = load_auxiliary(tmp_path, seed=1)
    rare = [e.answer for e in data.examples if e.message.text in ("x", "y")]
    assert rare == [64, 64]
    assert data.answers["massive_de"] == 65


def test_each_task_is_judged_by_its_own_layer() -> None:
    """The loss of a row does not touch the other task's layer."""
    heads = AuxiliaryHeads(8, {"a": 3, "b": 2})
    states = torch.randn(2, 4, 8)
    own = torch.ones(2, 4, dtype=torch.bool)
    heads(states, own, ["a", "a"], torch.tensor([0, 2])).backward()
    touched = {name for name, value in heads.named_parameters() if value.grad is not None}
    assert touched == {"tasks.a.weight", "tasks.a.bias"}
