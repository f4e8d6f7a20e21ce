"""Payload of `categories-trained`: how good a custom category's head is. Figures only, never text."""

from datetime import datetime
from enum import StrEnum
from typing import Final

from pydantic import BaseModel, ConfigDict

TYPE: Final = "com.pruefstein.category.trained.v1"


class TrainingState(StrEnum):
    """What became of one version's training."""

    TRAINED = "trained"
    FAILED = "failed"


class TrainingWarning(StrEnum):
    """What a QA lead should know before trusting a head."""

    LOW_PRECISION = "low_precision"
    LOW_RECALL = "low_recall"
    FEW_EXAMPLES = "few_examples"
    NO_STATES = "no_states"


class CategoryTrained(BaseModel):
    """`precision` and `recall` 0..1 are cross-validated on the examples; None where training failed."""

    model_config = ConfigDict(frozen=True)

    tenant_id: str
    category_id: str
    version: int
    state: TrainingState
    model_revision: str
    precision: float | None
    recall: float | None
    positives: int
    negatives: int
    warnings: list[TrainingWarning]
    trained_at: datetime
