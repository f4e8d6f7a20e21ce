"""Comprehension: were questions answered, and was nobody asked, or made to ask, the same thing twice?"""

from collections.abc import Sequence
from typing import Final

from services.autoqa.categories.verdict import not_applicable, verdict
from services.autoqa.policy import Policy
from services.autoqa.similarity import Question, questions, similarity
from services.autoqa.transcript import AgentMessage, CustomerMessage, Transcript, Turn, span_of, whole
from shared.domain.conversation import Role
from shared.domain.evidence import EvidenceSpan
from shared.domain.labels import Signal
from shared.domain.review import Outcome, Rating
from shared.domain.scorecard import CategoryId

_TAKEN_UP: Final = (Signal.SOLUTION, Signal.CLARIFYING, Signal.FOLLOW_UP)
_MAX_QUESTIONS: Final = 60
"""Of one side; the comparison is quadratic."""


def rate_comprehension(transcript: Transcript, policy: Policy) -> Rating:
    """How surely the agents' answers take up what the customer wrote, on average over the exchanges.

    An answer takes up by a solution, a question whose answer is needed, or a promise. A question asked
    twice by either side, with the other side's answer in between, fails.
    """
    exchanges = _exchanges(transcript.turns)
    if not exchanges:
        return not_applicable(CategoryId.COMPREHENSION, "no_agent_answer")
    repeated, likeness = _repeated(transcript.turns, policy.repeated_similarity)
    if repeated:
        return verdict(
            CategoryId.COMPREHENSION,
            # Letters alike to the threshold leave it open; the same letters leave little doubt.
            0.4 - 0.35 * (likeness - policy.repeated_similarity) / max(1e-9, 1 - policy.repeated_similarity),
            policy=policy,
            found=(),
            searched=repeated,
            reason="question_repeated",
        )
    taken_up = [max(_taken_up(answer) for answer in answers) for _, answers in exchanges]
    mean = sum(taken_up) / len(taken_up)
    missed = [pair for pair, share in zip(exchanges, taken_up, strict=True) if share < 0.5]
    answered = [pair for pair, share in zip(exchanges, taken_up, strict=True) if share >= 0.5]
    rating = verdict(
        CategoryId.COMPREHENSION,
        mean,
        policy=policy,
        found=tuple(_best_span(answers) for _, answers in answered[:5]),
        searched=whole(turn.message for pair in missed[:5] for turn in _both(pair)),
        score=mean,
        reason="not_taken_up" if mean < 0.5 else None,
    )
    if rating.outcome is Outcome.FAILED and not transcript.is_final:
        return not_applicable(CategoryId.COMPREHENSION, "still_open", confidence=rating.confidence)
    return rating


_Exchange = tuple[tuple[CustomerMessage, ...], tuple[AgentMessage, ...]]


def _exchanges(turns: Sequence[Turn]) -> list[_Exchange]:
    """Customer turns with the agent turn that follows; a last thanks without an answer is none."""
    found: list[_Exchange] = []
    asked: list[CustomerMessage] = []
    answers: list[AgentMessage] = []
    for turn in turns:
        if isinstance(turn, CustomerMessage):
            if asked and answers:
                found.append((tuple(asked), tuple(answers)))
                asked, answers = [], []
            asked.append(turn)
        elif isinstance(turn, AgentMessage) and asked:
            answers.append(turn)
    if asked and answers:
        found.append((tuple(asked), tuple(answers)))
    if len(found) > 1 and not any("?" in turn.message.text for turn in found[-1][0]):
        # The answer to a goodbye owes nothing.
        return found[:-1]
    return found


def _both(exchange: _Exchange) -> tuple[CustomerMessage | AgentMessage, ...]:
    return (*exchange[0], *exchange[1])


def _taken_up(answer: AgentMessage) -> float:
    return max(answer.prediction.signals[signal] for signal in _TAKEN_UP)


def _best_span(answers: Sequence[AgentMessage]) -> EvidenceSpan:
    best = max(answers, key=_taken_up)
    signal = max(_TAKEN_UP, key=lambda signal: best.prediction.signals[signal])
    return span_of(best.message, best.prediction.signal_evidence[signal])


def _repeated(turns: Sequence[Turn], threshold: float) -> tuple[tuple[EvidenceSpan, ...], float]:
    """The likest two questions of one side with the other side's words in between, if any are that alike."""
    best: tuple[tuple[EvidenceSpan, ...], float] = ((), threshold)
    for role, other in ((Role.AGENT, Role.CUSTOMER), (Role.CUSTOMER, Role.AGENT)):
        asked: list[tuple[int, Turn, Question]] = []
        exchange = 0
        for turn in turns:
            if turn.role is other:
                exchange += 1
            if turn.role is not role or len(asked) >= _MAX_QUESTIONS:
                continue
            for question in questions(turn.message.text):
                for before, earlier, known in asked:
                    alike = similarity(known[1], question[1]) if before < exchange else 0.0
                    if alike >= best[1]:
                        first = span_of(earlier.message, known[0])
                        best = (first, span_of(turn.message, question[0])), alike
                asked.append((exchange, turn, question))
    return best
