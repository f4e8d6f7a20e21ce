"""Which language a message is written in, among those that the installation is configured for."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import cached_property
from threading import Lock

from lingua import IsoCode639_1
from lingua import LanguageDetector as Detector
from lingua import LanguageDetectorBuilder as Builder

from shared.domain.conversation import Message, Role

__all__ = ["DEFAULT_LANGUAGES", "LanguageDetector", "of_conversation"]

DEFAULT_LANGUAGES = ("de", "en")
_NOT_WORDS = re.compile(r"https?://\S+|\S{1,64}@\S{1,255}|[\w-]*\d[\w-]*")
_MIN_LETTERS = 8
_MAX_LENGTH = 2000
"""More text makes no language surer, only slower."""
_MIN_DISTANCE = 0.15
_SPOKEN = (Role.CUSTOMER, Role.AGENT, Role.BOT)


class LanguageDetector:
    """Tells one of a few languages; safe to share between threads.

    The models are loaded by the first call: most processes that import this never ask.
    """

    def __init__(self, languages: Iterable[str] = DEFAULT_LANGUAGES) -> None:
        """Take two-letter codes. Raises `ValueError` for one that lingua does not know."""
        self._codes = tuple(dict.fromkeys(code.strip().lower() for code in languages))
        unknown = [code for code in self._codes if not _is_known(code)]
        if unknown or not self._codes:
            raise ValueError(f"not languages: {', '.join(unknown) or 'none given'}")
        self._lock = Lock()

    @cached_property
    def _detector(self) -> Detector:
        iso = [getattr(IsoCode639_1, code.upper()) for code in self._codes]
        builder = Builder.from_iso_codes_639_1(*iso)
        return builder.with_minimum_relative_distance(_MIN_DISTANCE).build()

    def detect(self, text: str) -> str | None:
        """The language's code; None for what is too short to tell, or not sure."""
        words = _NOT_WORDS.sub(" ", text[:_MAX_LENGTH])
        if sum(character.isalpha() for character in words) < _MIN_LETTERS:
            return None
        if len(self._codes) == 1:
            return self._codes[0]
        with self._lock:  # around the building only: the detector itself is stateless
            detector = self._detector
        found = detector.detect_language_of(words)
        return None if found is None else found.iso_code_639_1.name.lower()


def _is_known(code: str) -> bool:
    return len(code) == 2 and code.isalpha() and hasattr(IsoCode639_1, code.upper())


def of_conversation(
    messages: Iterable[Message], *, lengths: Mapping[str, int], told: str | None = None
) -> str | None:
    """The language that most of the spoken text is in; without any, what the helpdesk says.

    `lengths` are those of the texts by message id.
    """
    amounts: Counter[str] = Counter()
    for message in messages:
        if message.role in _SPOKEN and message.language is not None:
            amounts[message.language] += lengths[message.id]
    if not amounts:
        return told
    return max(sorted(amounts), key=lambda language: amounts[language])
