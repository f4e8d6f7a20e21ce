"""The reliability plot: one panel a head, promise to the right, truth upwards, as plain SVG."""

from collections.abc import Mapping, Sequence
from typing import Final

from services.autoqa.training.evaluation.reliability import Bin

_SIDE: Final = 220
_MARGIN: Final = 44
_COLOURS: Final = {"de": "#b5541c", "en": "#1c5fb5"}


def reliability_svg(panels: Mapping[str, Mapping[str, Sequence[Bin]]]) -> str:
    """`panels`: by head and language (`de`, `en`). On the diagonal probabilities are kept."""
    width, height = len(panels) * (_SIDE + _MARGIN) + _MARGIN, _SIDE + 2 * _MARGIN
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        'font-family="sans-serif" font-size="11">',
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
    ]
    for number, (head, lines) in enumerate(panels.items()):
        parts += _panel(head, lines, left=_MARGIN + number * (_SIDE + _MARGIN))
    return "\n".join([*parts, "</svg>"]) + "\n"


def _panel(head: str, lines: Mapping[str, Sequence[Bin]], *, left: float) -> list[str]:
    top, bottom, right = _MARGIN, _MARGIN + _SIDE, left + _SIDE
    parts = [
        f'<rect x="{left}" y="{top}" width="{_SIDE}" height="{_SIDE}" fill="none" stroke="#999"/>',
        f'<line x1="{left}" y1="{bottom}" x2="{right}" y2="{top}" stroke="#bbb" stroke-dasharray="4 3"/>',
        f'<text x="{left}" y="{top - 8}" font-weight="bold">{head}</text>',
    ]
    for share in (0.0, 0.5, 1.0):
        x, y = left + share * _SIDE, bottom - share * _SIDE
        parts.append(f'<text x="{x:.0f}" y="{bottom + 14}" text-anchor="middle">{share:g}</text>')
        parts.append(f'<text x="{left - 4}" y="{y + 4:.0f}" text-anchor="end">{share:g}</text>')
    for number, (language, bins) in enumerate(lines.items()):
        colour = _COLOURS[language]
        points = [(left + b.probability * _SIDE, bottom - b.true_ratio * _SIDE) for b in bins]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}"/>')
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.5" fill="{colour}"/>' for x, y in points]
        at = left + 8 + 26 * number
        parts.append(f'<text x="{at:.0f}" y="{top + 16}" fill="{colour}">{language}</text>')
    return parts
