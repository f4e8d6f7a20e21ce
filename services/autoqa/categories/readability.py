"""Readability of the agents' texts.

English: Flesch Reading Ease 206.835 - 1.015 ASL - 84.6 ASW (Flesch 1948, "A new readability yardstick").
German: Amstad 180 - ASL - 58.5 ASW (Amstad 1978, "Wie verständlich sind unsere Zeitungen?").
ASL: words a sentence; ASW: syllables a word.
"""

import math
import re
from collections.abc import Sequence
from typing import Final

from services.autoqa.categories.grammar import written_in
from services.autoqa.categories.verdict import not_applicable, unsure, verdict
from services.autoqa.policy import Policy
from services.autoqa.proofreading import Syllables, WrittenIn
from services.autoqa.transcript import Transcript, whole
from shared.domain.review import Rating
from shared.domain.scorecard import CategoryId

_MAX_CHARS: Final = 20_000
_WORD: Final = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
_SENTENCE_END: Final = re.compile(r"(?<![.!?…])[.!?…]++(?=\s|$)|\n+")
_SPREAD: Final = 8.0
"""Points of reading ease in which the doubt about the threshold falls to a quarter: a rough one, since a
text of some dozen words measures itself only that well."""


def rate_readability(transcript: Transcript, policy: Policy, syllables: Syllables) -> Rating:
    """Passes from `policy.reading_ease` points on; the score is 1 from 30 points above, 0 from 30 below."""
    agents = transcript.agents
    if not agents:
        return not_applicable(CategoryId.READABILITY, "no_agent_message")
    searched = whole(turn.message for turn in agents)
    known = [turn for turn in agents if written_in(turn.message.language or transcript.language)]
    if not known:
        return unsure(CategoryId.READABILITY, 0.5, "language_unknown", searched)
    # One language for all: the formulas do not mix, and agents rarely do.
    language = written_in(known[0].message.language or transcript.language) or "en"
    ease = reading_ease([turn.message.text for turn in known], language, syllables, policy)
    if ease is None:
        return not_applicable(CategoryId.READABILITY, "too_short")
    distance = ease - policy.reading_ease
    return verdict(
        CategoryId.READABILITY,
        1 / (1 + math.exp(-max(-60.0, min(60.0, distance / _SPREAD)))),
        policy=policy,
        found=searched,
        searched=searched,
        score=min(1.0, max(0.0, 0.5 + distance / 60)),
        reason="hard_to_read" if distance < 0 else None,
    )


def reading_ease(
    texts: Sequence[str], language: WrittenIn, syllables: Syllables, policy: Policy
) -> float | None:
    """Points, about 0 (hard) to 100 (easy); None with fewer than `policy.min_words_readability` words."""
    words = sentences = total = 0
    budget = _MAX_CHARS
    for text in texts:
        part = text[:budget]
        budget -= len(part)
        for sentence in _SENTENCE_END.split(part):
            spoken = _WORD.findall(sentence)
            # Greetings and names on a line of their own are no sentences.
            if len(spoken) < 3:
                continue
            sentences += 1
            words += len(spoken)
            total += sum(syllables(word, language) for word in spoken)
    if words < policy.min_words_readability:
        return None
    if language == "de":
        return 180 - words / sentences - 58.5 * total / words
    return 206.835 - 1.015 * words / sentences - 84.6 * total / words
