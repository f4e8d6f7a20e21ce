"""Rows of the tables of custom categories and the values they stand for."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from typing import Any

from services.metrics.categories.category import Category, ContextTurn, Example, ScorecardEntry


def category_row(tenant_id: str, category: Category) -> dict[str, Any]:
    """What is inserted."""
    row = {field.name: getattr(category, field.name) for field in fields(Category)}
    return {"tenant_id": tenant_id, **row, "warnings": list(category.warnings)}


def category_from_row(row: Mapping[Any, Any]) -> Category:
    """What was stored."""
    values = {field.name: row[field.name] for field in fields(Category)}
    return Category(**{**values, "warnings": tuple(row["warnings"])})


def example_rows(
    tenant_id: str, category_id: str, version: int, examples: Sequence[Example]
) -> list[dict[str, Any]]:
    """What is inserted, in order."""
    return [
        {
            "tenant_id": tenant_id,
            "category_id": category_id,
            "version": version,
            "place": place,
            "text": example.text,
            "context": [asdict(turn) for turn in example.context],
            "positive": example.positive,
        }
        for place, example in enumerate(examples)
    ]


def example_from_row(row: Mapping[Any, Any]) -> Example:
    """What was stored."""
    return Example(
        text=row["text"],
        context=tuple(ContextTurn(**turn) for turn in row["context"]),
        positive=row["positive"],
    )


def entry_from_json(shown: Mapping[str, Any]) -> ScorecardEntry:
    """Undo `asdict`."""
    return ScorecardEntry(**shown)
