"""The customer's sentiment along the conversation."""

from collections.abc import Mapping

from services.autoqa.transcript import Transcript
from shared.domain.labels import Sentiment
from shared.domain.review import SentimentPath

__all__ = ["sentiment_path", "sentiment_score"]


def sentiment_score(probabilities: Mapping[Sentiment, float]) -> float:
    """p(positive) - p(negative), -1..1."""
    return round(probabilities[Sentiment.POSITIVE] - probabilities[Sentiment.NEGATIVE], 4)


def sentiment_path(transcript: Transcript) -> SentimentPath | None:
    """From the first to the last customer message; None where the customer said nothing."""
    scores = [sentiment_score(turn.prediction.sentiment) for turn in transcript.customers]
    if not scores:
        return None
    start, end = scores[0], scores[-1]
    return SentimentPath(start=start, end=end, lowest=min(scores), trend=round(end - start, 4))
