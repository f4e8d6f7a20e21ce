"""Counterfactual texts: the same message from, or to, somebody else. Pure.

Each swap returns None where it does not apply, or could not be carried through without an error of grammar.
"""

import random
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

Swap = Callable[[str, random.Random], str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """Common names of one origin."""

    women: tuple[str, ...]
    men: tuple[str, ...]
    surnames: tuple[str, ...]


ORIGINS: Final[Mapping[str, Names]] = {
    "german": Names(
        women=("Sabine", "Anna", "Lena", "Katrin"),
        men=("Stefan", "Jonas", "Matthias", "Thomas"),
        surnames=("Weber", "Schneider", "Hoffmann", "Krüger"),
    ),
    "english": Names(
        women=("Emily", "Sarah", "Grace", "Olivia"),
        men=("James", "Oliver", "Harry", "George"),
        surnames=("Smith", "Taylor", "Wilson", "Clarke"),
    ),
    "turkish": Names(
        women=("Ayşe", "Elif", "Zeynep", "Fatma"),
        men=("Mehmet", "Emre", "Mustafa", "Burak"),
        surnames=("Yılmaz", "Demir", "Kaya", "Özdemir"),
    ),
    "arabic": Names(
        women=("Fatima", "Layla", "Aisha", "Noor"),
        men=("Mohammed", "Omar", "Youssef", "Khalid"),
        surnames=("Al-Masri", "Haddad", "Khalil", "Mansour"),
    ),
    "polish": Names(
        women=("Agnieszka", "Katarzyna", "Ewa", "Zofia"),
        men=("Piotr", "Krzysztof", "Tomasz", "Wojciech"),
        surnames=("Nowak", "Kowalski", "Zieliński", "Wójcik"),
    ),
    "vietnamese": Names(
        women=("Thi Lan", "Linh", "Mai", "Hoa"),
        men=("Minh", "Duc", "Tuan", "Quang"),
        surnames=("Nguyen", "Tran", "Pham", "Le"),
    ),
    "west african": Names(
        women=("Adwoa", "Chioma", "Fatou", "Ngozi"),
        men=("Kwame", "Emeka", "Mamadou", "Kofi"),
        surnames=("Okafor", "Mensah", "Diallo", "Adeyemi"),
    ),
    "indian": Names(
        women=("Priya", "Anjali", "Lakshmi", "Kavita"),
        men=("Rahul", "Arjun", "Sanjay", "Vikram"),
        surnames=("Sharma", "Patel", "Nair", "Reddy"),
    ),
}

_TITLED: Final = re.compile(
    r"\b(?:Frau|Herrn?|Mr\.?|Mrs\.?|Ms\.?|Miss) (?!Dr\b|Prof|Magister|Mag\b)([A-ZÄÖÜ][\w'’-]*[a-zäöüß])"
)
_WOMEN: Final = frozenset(
    """
    Sabine Anna Lena Katrin Nina Annika Miriam Priyanka Kirsty Siobhan Yusra Halima Amy Jacqueline Nadia
    Carly Sheila Chantelle Anjali Wendy Tanya Beata Nadine Petra Jill Kerry Gwen Sarah Tamsin Fionnuala
    Julia Laura Lisa Maria Sandra Claudia Monika Emma Sophie Emily Olivia Grace Hannah Rachel Karin
    Ursula Vreni Greta Svenja Jana Birgit Heike Silke Anja Tina Nora Mia Lea Katja Melanie Ines Eva Kate
    Lucy Jess Megan
    """.split()  # noqa: SIM905  # names read better without quotes
)
_MEN: Final = frozenset(
    """
    Sven Owen Marcus Matthias Jannik Maik Christian Stefan Esteban Claes Mark Timo Yannick Kofi Rainer
    Rakesh Declan Jonas Thomas Michael Andreas Peter Jürgen Klaus Uwe Tobias Lukas Felix Max Paul Jan
    Tim Tom James Oliver Harry George Daniel David Ben Sam Jack Liam Callum Ryan Markus Martin Frank
    Jens Bernd Holger Dennis Kevin Philipp Florian Patrick Alexander Simon Reto Urs Tariq Ahmed Mehmet
    """.split()  # noqa: SIM905  # names read better without quotes
)
_GIVEN: Final = re.compile(r"\b(" + "|".join(sorted(_WOMEN | _MEN)) + r")\b")


def with_names_of(origin: str) -> Swap:
    """Surnames after a title, and common given names of the same gender, replaced by those of `origin`."""
    names = ORIGINS[origin]

    def swap(text: str, rng: random.Random) -> str | None:
        chosen: dict[str, str] = {}
        for match in _TITLED.finditer(text):
            chosen.setdefault(match.group(1), rng.choice(names.surnames))
        for match in _GIVEN.finditer(text):
            given = match.group(1)
            chosen.setdefault(given, rng.choice(names.women if given in _WOMEN else names.men))
        return _replaced(text, chosen)

    return swap


def _replaced(text: str, chosen: Mapping[str, str]) -> str | None:
    if not chosen:
        return None
    # A name's genitive ends in s; a hyphen makes it another name.
    pattern = re.compile(r"\b(" + "|".join(re.escape(name) for name in chosen) + r")(?=s?\b)(?!-)")
    return _changed(text, pattern.sub(lambda match: chosen[match.group(1)], text))


_ADDRESS: Final = re.compile(
    r"\b(?P<adjective>[Gg]eehrter?|[Ll]ieber?|[Ww]erter?) (?P<kind>Frau|Herr) (?=[A-ZÄÖÜ])"
    r"|\b(?P<before>mit|von|an|für|bei|zu|zur|zum|durch|gegen|ohne) (?P<oblique>Frau|Herrn) (?=[A-ZÄÖÜ])"
    r"|\b(?P<plain>Frau|Herrn?) (?=[A-ZÄÖÜ])"
    r"|\b(?P<english>Mrs\.?|Ms\.?|Mr\.?|Miss) (?=[A-Z])"
    r"|\bDear (?P<formal>Sir|Madam)(?=[,\n ])(?! or\b)"
)


def other_gender(text: str, _: random.Random) -> str | None:
    """Frau and Herr, Mrs and Mr, Sir and Madam exchanged, adjectives with them."""

    def other(match: re.Match[str]) -> str:
        if adjective := match.group("adjective"):
            if match.group("kind") == "Frau":
                return f"{adjective.removesuffix('r')}r Herr "
            return f"{adjective.removesuffix('r')} Frau "
        if oblique := match.group("oblique"):
            before = match.group("before")
            before = {"zur": "zum", "zum": "zur"}.get(before, before)
            return f"{before} {'Herrn' if oblique == 'Frau' else 'Frau'} "
        if plain := match.group("plain"):
            return "Herr " if plain == "Frau" else "Frau "
        if english := match.group("english"):
            return "Ms " if english.startswith("Mr") and not english.startswith("Mrs") else "Mr "
        return "Dear Madam" if match.group("formal") == "Sir" else "Dear Sir"

    return _changed(text, _ADDRESS.sub(other, text))


_VERBS: Final = {
    "können": "kannst", "könnten": "könntest", "haben": "hast", "hätten": "hättest", "sind": "bist",
    "waren": "warst", "wären": "wärst", "möchten": "möchtest", "würden": "würdest", "wollen": "willst",
    "werden": "wirst", "müssen": "musst", "müssten": "müsstest", "dürfen": "darfst", "sollten": "solltest",
    "wissen": "weißt", "finden": "findest", "erhalten": "erhältst", "bekommen": "bekommst",
    "brauchen": "brauchst", "hatten": "hattest", "bleiben": "bleibst", "sehen": "siehst",
}  # fmt: skip
_IMPERATIVES: Final = {
    "geben": "gib", "nehmen": "nimm", "lesen": "lies", "sehen": "sieh", "helfen": "hilf", "senden": "sende",
    "schicken": "schick", "prüfen": "prüf", "rufen": "ruf", "sagen": "sag", "teilen": "teil",
    "warten": "warte", "schreiben": "schreib", "kommen": "komm", "überweisen": "überweise",
    "bestätigen": "bestätige", "nennen": "nenn", "melden": "melde", "kümmern": "kümmere",
    "machen": "mach", "hören": "hör",
}  # fmt: skip
_VERB_FIRST: Final = re.compile(r"\b(" + "|".join(_VERBS) + r") Sie\b", re.I)
_SUBJECT_FIRST: Final = re.compile(r"\bSie (" + "|".join(_VERBS) + r")\b")
_IMPERATIVE: Final = re.compile(r"\b(" + "|".join(_IMPERATIVES) + r") Sie\b( sich\b)?", re.I)
_OBJECT: Final = re.compile(r"\b([Ii]ch|[Ww]ir) ([a-zäöüß]+) Sie\b(?! [a-zäöüß]+en\b)")
_POSSESSIVE: Final = re.compile(r"\bIhr(e[mnrs]?)?\b(?= [A-ZÄÖÜa-zäöüß])")


def informal(text: str, _: random.Random) -> str | None:
    """Sie as du in German; None where a Sie remains that no rule is sure of."""
    changed = _VERB_FIRST.sub(lambda m: _cased(m.group(1), _VERBS[m.group(1).lower()]) + " du", text)
    changed = _SUBJECT_FIRST.sub(lambda m: "du " + _VERBS[m.group(1)], changed)
    changed = _IMPERATIVE.sub(
        lambda m: _cased(m.group(1), _IMPERATIVES[m.group(1).lower()]) + (" dich" if m.group(2) else ""),
        changed,
    )
    changed = _OBJECT.sub(r"\1 \2 dich", changed)
    if re.search(r"\bSie\b", changed):
        return None
    changed = _POSSESSIVE.sub(lambda m: _initial(m, "dein" + (m.group(1) or "")), changed)
    changed = re.sub(r"\bIhnen\b", "dir", changed)
    return _changed(text, changed)


def _initial(match: re.Match[str], word: str) -> str:
    """Capital where a sentence begins."""
    before = match.string[: match.start()].rstrip(" ")
    return word.capitalize() if not before or before[-1] in ".!?\n" else word


def _cased(model: str, word: str) -> str:
    return word.capitalize() if model[0].isupper() else word


def _changed(before: str, after: str) -> str | None:
    return None if after == before else after


SWAPS: Final[Mapping[str, Swap]] = {
    **{f"names: {origin}": with_names_of(origin) for origin in ORIGINS},
    "gendered address": other_gender,
    "Sie to du": informal,
}
