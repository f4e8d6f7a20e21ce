"""The model with all that turns its words into reviews: what serving and rating files share."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from services.autoqa.categories.registry import Categories
from services.autoqa.decide import Judgement, OutcomeOf
from services.autoqa.embedding import ReadingModel
from services.autoqa.floors import stored_floors
from services.autoqa.inference import Inference
from services.autoqa.model import load_model, predict_outcome
from services.autoqa.policy import Policy
from services.autoqa.predictions import Prediction
from services.autoqa.rate import Rater
from services.autoqa.score_file import score_file
from services.autoqa.settings import ModelSettings, ScoreSettings
from services.autoqa.spelling import Spelling
from services.autoqa.syllables import load_patterns, syllables
from shared.clock import SystemClock
from shared.domain.conversation import Role
from shared.domain.labels import Resolved
from shared.domain.scorecard import DEFAULT_SCORECARD
from shared.errors import Stop

__all__ = ["Reader", "open_model", "read_file", "shipped_outcome"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """The model with all that turns its words into reviews; what serving and files share."""

    inference: Inference
    rater: Rater
    spelling: Spelling

    @classmethod
    def of(
        cls, model: ReadingModel, *, policy: Policy, settings: ModelSettings, outcome: OutcomeOf
    ) -> "Reader":
        """Reads dictionaries and patterns: a second or two."""
        load_patterns()
        spelling = Spelling()
        inference = Inference(
            model, pass_tokens=settings.pass_tokens, max_queued_messages=settings.max_queued_messages
        )
        judgement = Judgement(
            categories=Categories(proofread=spelling.proofread, syllables=syllables),
            outcome=outcome,
            scorecard=DEFAULT_SCORECARD,
            policy=policy,
            model_revision=model.revision,
        )
        return cls(
            inference=inference, rater=Rater(inference=inference, judgement=judgement), spelling=spelling
        )


def open_model(settings: ModelSettings) -> ReadingModel:
    """Raises `Stop` with one line where the weights are missing or the runtime is not installed."""
    try:
        return load_model(
            runtime=settings.runtime,
            folder=settings.folder,
            device=settings.device,
            threads=settings.threads,
        )
    except (OSError, ImportError, ValueError, KeyError) as error:
        raise Stop(f"the model cannot be opened: {error}", reason="model") from error


def shipped_outcome(turns: Sequence[tuple[Role, Prediction]]) -> tuple[Mapping[Resolved, float], float]:
    """By the coefficients that ship with the weights."""
    outcome = predict_outcome(turns)
    return outcome.resolved, outcome.csat


async def read_file(settings: ScoreSettings, source: Path, target: Path) -> None:
    """Rate a file. Raises `Stop` at the end where lines were wrong."""
    model = open_model(settings.model)
    policy = settings.policy.with_floors(stored_floors(settings.model.folder))
    reader = Reader.of(model, policy=policy, settings=settings.model, outcome=shipped_outcome)
    try:
        wrong = await score_file(
            source,
            target,
            rater=reader.rater,
            language_of=reader.spelling.language_of,
            clock=SystemClock(),
        )
    finally:
        await reader.inference.close()
    if wrong:
        raise Stop(f"{wrong} lines were wrong and passed over", reason="wrong_lines")
