"""What belongs together is in one part."""

from collections.abc import Mapping, Sequence

from services.autoqa.training.data import Example, Part


def torn_groups(parts: Mapping[Part, Sequence[Example]]) -> list[str]:
    """Groups (pairs, sentiment groups, conversations) with members in more than one part, in order."""
    seen: dict[str, Part] = {}
    torn: set[str] = set()
    for part, examples in parts.items():
        for example in examples:
            if seen.setdefault(example.group, part) != part:
                torn.add(example.group)
    return sorted(torn)
