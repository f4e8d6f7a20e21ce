"""The people of the demo: agents in teams, customers by chance, and what customers say in a survey."""

import random
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """An agent, a bot or a customer."""

    id: int
    first: str
    last: str
    email: str

    @property
    def name(self) -> str:
        """First and last name."""
        return f"{self.first} {self.last}".strip()


@dataclass(frozen=True, slots=True, kw_only=True)
class Team:
    """A group of agents."""

    id: int
    name: str
    agents: tuple[Person, ...]


def _team(number: int, name: str, *agents: tuple[str, str]) -> Team:
    return Team(
        id=number,
        name=name,
        agents=tuple(
            _agent(number * 100 + place, first, last) for place, (first, last) in enumerate(agents, start=1)
        ),
    )


def _agent(number: int, first: str, last: str) -> Person:
    local = f"{first}.{last}".lower().replace("ö", "oe")
    return Person(id=number, first=first, last=last, email=f"{local}@demo.example")


BOT: Final = Person(id=900001, first="Assistent", last="", email="bot@demo.example")
TEAMS: Final[dict[str, tuple[Team, ...]]] = {
    "de": (
        _team(11, "Kundenservice", ("Anna", "Weber"), ("Mehmet", "Yilmaz"), ("Jan", "Peters")),
        _team(12, "Rechnungen", ("Katrin", "Vogel"), ("Lukas", "Brandt")),
        _team(13, "Technik", ("Sofia", "Wagner"), ("Tobias", "König")),
    ),
    "en": (
        _team(21, "Customer Care", ("Priya", "Nair"), ("Colin", "Murray"), ("Ruth", "Meyer")),
        _team(22, "Billing", ("Grace", "Okafor"), ("Tom", "Ellis")),
        _team(23, "Tech Support", ("Dylan", "Hughes"), ("Mei", "Chen")),
    ),
}
_FIRST: Final = {
    "de": ("Lena", "Jonas", "Petra", "Thomas", "Aylin", "Markus", "Claudia", "Stefan", "Nadine", "Uwe"),
    "en": ("Oliver", "Emma", "James", "Chloe", "Daniel", "Hannah", "Liam", "Zoe", "Marcus", "Isla"),
}
_LAST: Final = {
    "de": ("Hoffmann", "Beck", "Lange", "Krüger", "Schulz", "Demir", "Wolf", "Maurer", "Seidel", "Frank"),
    "en": ("Grant", "Clarke", "Reid", "Walsh", "Turner", "Patel", "Hill", "Morgan", "Fraser", "Cole"),
}
COMMENTS: Final[dict[str, dict[int, tuple[str, ...]]]] = {
    "de": {
        1: ("Nie wieder.", "Niemand fühlt sich zuständig."),
        2: ("Hat viel zu lange gedauert.", "Problem besteht weiter."),
        3: ("Ging so.", "Freundlich, aber langsam."),
        4: ("Schnell geholfen, danke!", "Alles erledigt."),
        5: ("Sehr freundlich und kompetent!", "Besser geht es nicht."),
    },
    "en": {
        1: ("Never again.", "Nobody took ownership."),
        2: ("Took far too long.", "Still not fixed."),
        3: ("It was ok.", "Polite but slow."),
        4: ("Sorted quickly, thanks.", "All done."),
        5: ("Brilliant service!", "Could not be better."),
    },
}


def customer(number: int, language: str, chance: random.Random) -> Person:
    """Somebody new, with an address that belongs to nobody."""
    first, last = chance.choice(_FIRST[language]), chance.choice(_LAST[language])
    address = f"kunde{number}@example.com"
    return Person(id=5_000_000 + number % 4_000_000, first=first, last=last, email=address)
