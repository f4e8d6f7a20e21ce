"""Tone: how did the agents sound? The worst message decides whether it passes."""

from services.autoqa.categories.verdict import not_applicable, verdict
from services.autoqa.policy import Policy
from services.autoqa.transcript import Transcript, span_of
from shared.domain.labels import Tone
from shared.domain.review import Rating
from shared.domain.scorecard import CategoryId


def rate_tone(transcript: Transcript, policy: Policy) -> Rating:
    """Failed (0) where any agent message is poor; else the mean of p(good) + p(acceptable) / 2."""
    agents = transcript.agents
    if not agents:
        return not_applicable(CategoryId.TONE, "no_agent_message")
    worst = max(turn.prediction.tone[Tone.POOR] for turn in agents)
    grades = [turn.prediction.tone[Tone.GOOD] + turn.prediction.tone[Tone.ACCEPTABLE] / 2 for turn in agents]
    is_poor = worst >= policy.poor_tone_threshold
    level = min(policy.poor_tone_threshold, worst)
    poor = [turn for turn in agents if turn.prediction.tone[Tone.POOR] >= level]
    best = sorted(agents, key=lambda turn: -turn.prediction.tone[Tone.GOOD])[:5]
    return verdict(
        CategoryId.TONE,
        # Poor from the threshold on, wherever it lies; the verdict itself cuts at one half.
        min(1 - worst, 0.4999) if is_poor else max(1 - worst, 0.5),
        policy=policy,
        found=tuple(span_of(turn.message, turn.prediction.tone_evidence) for turn in best),
        searched=tuple(span_of(turn.message, turn.prediction.tone_evidence) for turn in poor[:20]),
        score=0.0 if is_poor else sum(grades) / len(grades),
        reason="poor_message" if is_poor else None,
    )
