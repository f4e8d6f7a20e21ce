"""The held-out messages with the model's logits, and decisions about them that no message helped to fit."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from services.autoqa.model.confidence import ANSWERS, CHOICES
from services.autoqa.training.calibrate import fit_confidence
from services.autoqa.training.data import Example
from services.autoqa.training.evaluation.message_logits import MessageLogits

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Integers = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class HeldOut:
    """Messages with (messages, labels) logits and targets; targets NaN where a role has no such label."""

    examples: Sequence[Example]
    logits: Floats
    targets: Floats

    @cached_property
    def languages(self) -> NDArray[np.str_]:
        """Each message's."""
        return np.array([example.language for example in self.examples])

    @cached_property
    def groups(self) -> Integers:
        """A number a message, equal for those of one conversation, pair or group."""
        names = [(example.file, example.group) for example in self.examples]
        numbers = {name: number for number, name in enumerate(sorted(set(names)))}
        return np.array([numbers[name] for name in names], dtype=np.int64)

    @cached_property
    def owed(self) -> Bools:
        """(messages, labels) that the message's role has."""
        owed: Bools = ~np.isnan(self.targets)
        return owed

    def rows(self, language: str) -> Bools:
        """Messages in `language`; all of them for `all`."""
        if language == "all":
            return np.ones(len(self.examples), dtype=np.bool_)
        rows: Bools = self.languages == language
        return rows


def held_out(examples: Sequence[Example], reader: MessageLogits) -> HeldOut:
    """Reads the examples."""
    logits = reader.logits([example.message for example in examples], about="held out")
    targets = [[np.nan if t is None else t for t in example.targets] for example in examples]
    return HeldOut(examples=examples, logits=logits, targets=np.array(targets, dtype=np.float64))


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """(messages, labels) probabilities and thresholds, (messages, ANSWERS) floors: all of the other half."""

    probabilities: Floats
    thresholds: Floats
    floors: Floats

    @property
    def decided(self) -> Bools:
        """At 0.5, and of sentiment and tone the likeliest."""
        return decisions(self.probabilities)


def cross_fitted(held: HeldOut) -> Judged:
    """Calibration, thresholds and floors fitted on one half of the groups judge the other, both ways."""
    half = held.groups % 2
    languages = held.languages.tolist()
    probabilities, thresholds = np.zeros_like(held.logits), np.zeros_like(held.logits)
    floors = np.zeros((len(held.examples), len(ANSWERS)))
    for side in (0, 1):
        other, own = half != side, half == side
        confidence = fit_confidence(
            held.logits[other], held.targets[other], [languages[i] for i in np.flatnonzero(other)]
        )
        spoken = [languages[i] for i in np.flatnonzero(own)]
        probabilities[own] = confidence.probabilities(held.logits[own], spoken)
        thresholds[own] = confidence.thresholds(spoken)
        floors[own] = [confidence.floors[answer] for answer in ANSWERS]
    return Judged(probabilities=probabilities, thresholds=thresholds, floors=floors)


def decisions(probabilities: Floats) -> Bools:
    """Flags and signals from 0.5; of sentiment and tone the likeliest."""
    decided: Bools = probabilities >= 0.5
    for at in CHOICES.values():
        decided[:, at] = False
        chosen = probabilities[:, at].argmax(1)
        decided[np.arange(len(decided)), at.start + chosen] = True
    return decided
