"""Which series and labels a PromQL expression names; enough of the grammar for our own expressions."""

import re
from dataclasses import dataclass, field
from typing import Final

from prometheus_client import REGISTRY

from shared.telemetry import metrics

_TOKEN: Final = re.compile(
    r"""(?P<string>"[^"]*"|'[^']*')|(?P<name>[A-Za-z_:][\w:]*)|(?P<other>\$\w+|\d[\w.]*|[=!<>]~?=?|\S)""",
    re.X,
)
_GROUPING: Final = {"by", "without", "on", "ignoring", "group_left", "group_right"}
_WORDS: Final = _GROUPING | {"and", "or", "unless", "offset", "bool", "inf", "nan", "atan2"}
_EVERYWHERE: Final = {"job", "instance"}
_PROMETHEUS_ITSELF: Final = {"up": set[str](), "ALERTS": {"alertname", "alertstate", "severity"}}


@dataclass
class References:
    """What an expression names."""

    series: dict[str, set[str]] = field(default_factory=dict)
    """By series: the labels its selectors match on."""
    grouping: set[str] = field(default_factory=set)
    """Labels in `by (...)`, `on (...)` and the like."""


def references(expression: str) -> References:
    """Read `expression`."""
    tokens = [(match.lastgroup, match.group()) for match in _TOKEN.finditer(expression)]
    found = References()
    position = 0
    while position < len(tokens):
        kind, text = tokens[position]
        following = tokens[position + 1][1] if position + 1 < len(tokens) else ""
        position += 1
        if kind != "name":
            continue
        if text in _GROUPING and following == "(":
            end = _index(tokens, ")", position)
            found.grouping |= {word for kind, word in tokens[position:end] if kind == "name"}
            position = end
        elif text in _WORDS or following == "(" or following in _GROUPING:
            continue
        else:
            labels = found.series.setdefault(text, set())
            if following == "{":
                end = _index(tokens, "}", position)
                labels |= {word for kind, word in tokens[position:end] if kind == "name"}
                position = end
    return found


def exported() -> dict[str, set[str]]:
    """Every series the services export, with its labels."""
    labels = {
        name: set(metric._labelnames)
        for metric in vars(metrics).values()
        if hasattr(metric, "_labelnames")
        for name in [metric._name]
    }
    series: dict[str, set[str]] = dict(_PROMETHEUS_ITSELF)
    for family in REGISTRY.collect():
        own = labels.get(family.name, set())
        if family.type == "counter":
            series[f"{family.name}_total"] = own
        elif family.type == "histogram":
            series |= {f"{family.name}_{part}": own for part in ("sum", "count")}
            series[f"{family.name}_bucket"] = own | {"le"}
        else:
            series[family.name] = own
    return series


def unknown(expression: str) -> list[str]:
    """What `expression` names that no service exports."""
    known = exported()
    named = references(expression)
    wrong = [name for name in named.series if name not in known]
    allowed = set(_EVERYWHERE)
    for name, labels in named.series.items():
        has = known.get(name, set()) | _EVERYWHERE
        allowed |= has
        wrong += [f"{name}{{{label}}}" for label in sorted(labels - has)]
    return wrong + [f"by ({label})" for label in sorted(named.grouping - allowed)]


def _index(tokens: list[tuple[str | None, str]], closing: str, start: int) -> int:
    return next(i for i in range(start, len(tokens)) if tokens[i][1] == closing)
