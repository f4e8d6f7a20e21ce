"""All categories by their id."""

from collections.abc import Mapping
from functools import partial

from services.autoqa.categories.closing import rate_closing
from services.autoqa.categories.comprehension import rate_comprehension
from services.autoqa.categories.empathy import rate_empathy
from services.autoqa.categories.grammar import rate_grammar
from services.autoqa.categories.greeting import rate_greeting
from services.autoqa.categories.readability import rate_readability
from services.autoqa.categories.solution import rate_solution
from services.autoqa.categories.timeliness import rate_timeliness
from services.autoqa.categories.tone import rate_tone
from services.autoqa.policy import Policy
from services.autoqa.proofreading import Proofreader, Syllables
from services.autoqa.transcript import Transcript
from shared.domain.review import Rating
from shared.domain.scorecard import CategoryId, Scorecard

__all__ = ["Categories"]


class Categories:
    """Rates transcripts by the categories of a scorecard, with the language tools that some of them need."""

    def __init__(self, *, proofread: Proofreader, syllables: Syllables) -> None:
        self._rate: Mapping[str, partial[Rating]] = {
            CategoryId.GREETING: partial(rate_greeting),
            CategoryId.CLOSING: partial(rate_closing),
            CategoryId.EMPATHY: partial(rate_empathy),
            CategoryId.TONE: partial(rate_tone),
            CategoryId.SOLUTION: partial(rate_solution),
            CategoryId.COMPREHENSION: partial(rate_comprehension),
            CategoryId.GRAMMAR: partial(rate_grammar, proofread=proofread),
            CategoryId.READABILITY: partial(rate_readability, syllables=syllables),
            CategoryId.TIMELINESS: partial(rate_timeliness),
        }

    def rate(self, transcript: Transcript, scorecard: Scorecard, policy: Policy) -> tuple[Rating, ...]:
        """One rating a category, in the scorecard's order; a company's own are rated by `rate_custom`."""
        return tuple(
            self._rate[category.id](transcript, policy)
            for category in scorecard.categories
            if category.id in self._rate
        )
