"""The learning curve over the amount of own data: short runs, each with more of it."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from services.autoqa.training.train import TrainOptions, train

SHARES: Final = (0.25, 0.5, 1.0)
_HEADS: Final = ("flags", "signals", "sentiment", "tone")


def learning_curve(options: TrainOptions, out: Path, shares: Sequence[float] = SHARES) -> None:
    """Trains a run a share under `options.out`, resuming those that were begun; writes rows to `out`.

    A row: `share` of our own training messages, `messages`, macro F1 a head on the dev part without
    calibration, as the last pass was measured.
    """
    rows = []
    for share in shares:
        run = options.out / f"share-{round(100 * share)}"
        train(replace(options, out=run, share=share))
        rows.append(curve_row(share, (run / "log.jsonl").read_text(encoding="utf-8")))
        out.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


def curve_row(share: float, log: str) -> dict[str, float]:
    """From a run's log."""
    events: list[dict[str, Any]] = [json.loads(line) for line in log.splitlines() if line.strip()]
    started = [event for event in events if event["event"] == "train.started"][-1]
    scores = [event for event in events if event["event"] == "train.evaluated"][-1]
    return {"share": share, "messages": started["train"], **{head: scores[head] for head in _HEADS}}
