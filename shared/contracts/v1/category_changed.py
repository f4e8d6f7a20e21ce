"""Payload of `categories-changed`: a custom category was made, changed or deleted. Ids only, never text."""

from typing import Final

from pydantic import BaseModel, ConfigDict

TYPE: Final = "com.pruefstein.category.changed.v1"


class CategoryChanged(BaseModel):
    """`version` counts sets of examples from 1; what counts is what the views say now."""

    model_config = ConfigDict(frozen=True)

    tenant_id: str
    category_id: str
    version: int
