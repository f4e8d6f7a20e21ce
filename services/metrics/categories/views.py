"""Custom categories as the API takes and shows them."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from services.metrics.categories.category import MOST_EXAMPLES, CategoryState

_Text = Annotated[str, StringConstraints(max_length=8000, pattern=r"^[^\x00]*$")]
_Name = Annotated[
    str, StringConstraints(min_length=1, max_length=100, strip_whitespace=True, pattern=r"^[^\x00]*$")
]
_Description = Annotated[str, StringConstraints(max_length=2000, pattern=r"^[^\x00]*$")]
_Weight = Annotated[float, Field(gt=0, le=100, allow_inf_nan=False)]
_Speaker = Literal["customer", "agent"]


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ContextIn(_In):
    """A turn before an example."""

    role: _Speaker = Field(description="Who said it; a bot counts as an agent.", examples=["customer"])
    text: _Text = Field(description="The words.", examples=["Can I get my money back?"])


class ExampleIn(_In):
    """A message that shows the category, or one that does not."""

    text: _Text = Field(
        description="The message, up to 8,000 characters.", examples=["I'll send you a voucher of 10 euros."]
    )
    context: list[ContextIn] | _Text | None = Field(
        default=None,
        description="What was said before, oldest first; a plain text is what the other side said last.",
        examples=[[{"role": "customer", "text": "My parcel is two weeks late."}]],
    )
    positive: bool = Field(description="Whether the message shows the category.", examples=[True])


class CategoryIn(_In):
    """A new category. At least 4 examples of each kind, 8 to 50 in all."""

    name: _Name = Field(description="For people.", examples=["Offers compensation"])
    description: _Description = Field(
        default="", description="What it asks, for people.", examples=["Does the agent offer a voucher?"]
    )
    role: _Speaker = Field(description="Whose messages it is looked for in.", examples=["agent"])
    examples: list[ExampleIn] = Field(
        description="8 to 50, at least 4 of each kind; no message twice.", max_length=MOST_EXAMPLES
    )
    weight: _Weight = Field(default=1, description="In the score, where it is in the scorecard.")
    critical: bool = Field(default=False, description="Failing it makes the score 0; only in the scorecard.")
    in_scorecard: bool = Field(default=False, description="Whether it weighs in the score.")


class CategoryPatch(_In):
    """What is to change; absent fields stay. New examples replace the old ones and are trained anew."""

    name: _Name | None = Field(default=None, description="For people.", examples=["Offers compensation"])
    description: _Description | None = Field(default=None, description="What it asks, for people.")
    weight: _Weight | None = Field(default=None, description="In the score.", examples=[2])
    critical: bool | None = Field(default=None, description="Failing it makes the score 0.")
    in_scorecard: bool | None = Field(default=None, description="Whether it weighs in the score.")
    enabled: bool | None = Field(default=None, description="Whether conversations are rated by it.")
    examples: list[ExampleIn] | None = Field(
        default=None, description="As in a new category.", max_length=MOST_EXAMPLES
    )


class ReplayIn(_In):
    """Which past conversations: those opened in this time."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"from": "2026-01-01", "to": "2026-03-31"}]}
    )

    begin: str = Field(
        alias="from", max_length=40, description="A day in UTC or an instant.", examples=["2026-01-01"]
    )
    end: str = Field(
        alias="to",
        max_length=40,
        description="A day in UTC, which is included whole, or an instant.",
        examples=["2026-03-31"],
    )


class ContextOut(BaseModel):
    """A turn before an example."""

    role: _Speaker = Field(description="Who said it.", examples=["customer"])
    text: str = Field(description="The words.", examples=["Can I get my money back?"])


class ExampleOut(BaseModel):
    """An example."""

    text: str = Field(description="The message.", examples=["I'll send you a voucher of 10 euros."])
    context: list[ContextOut] = Field(description="What was said before, oldest first.")
    positive: bool = Field(description="Whether it shows the category.", examples=[True])


class ReplayOut(BaseModel):
    """Past conversations being rated again."""

    id: str = Field(description="The replay's id.", examples=["rep_5f0c1e2d"])
    state: Literal["waiting", "running", "done", "cancelled"] = Field(
        description="`waiting` until the first step; `cancelled` where the category was deleted or disabled.",
        examples=["running"],
    )
    opened_from: datetime = Field(description="Conversations opened from then on.")
    opened_before: datetime = Field(description="And before then.")
    done: int = Field(description="Conversations that were looked at so far.", examples=[1200])
    total: int | None = Field(description="Of so many; null while waiting.", examples=[5400])
    created_at: datetime = Field(description="When it was asked for.")


class CategoryItem(BaseModel):
    """A category and how good it is."""

    id: str = Field(
        description="The category's id, as in ratings and KPIs.", examples=["cat_5f0c1e2d9b61aa07"]
    )
    name: str = Field(description="For people.", examples=["Offers compensation"])
    description: str = Field(description="What it asks.", examples=["Does the agent offer a voucher?"])
    role: _Speaker = Field(description="Whose messages it is looked for in.", examples=["agent"])
    weight: float = Field(description="In the score.", examples=[1])
    critical: bool = Field(description="Failing it makes the score 0.", examples=[False])
    in_scorecard: bool = Field(description="Whether it weighs in the score.", examples=[True])
    enabled: bool = Field(description="Whether conversations are rated by it.", examples=[True])
    state: CategoryState = Field(
        description="Of the newest examples; while they are `training` the ones before are applied.",
        examples=["trained"],
    )
    version: int = Field(description="Counts sets of examples.", examples=[1])
    active_version: int | None = Field(description="The set that is applied; null before the first.")
    precision: float | None = Field(
        description="Share of the messages it finds that are right, 0..1, cross-validated on the examples.",
        examples=[0.92],
    )
    recall: float | None = Field(
        description="Share of the messages it should find that it does, 0..1, cross-validated.",
        examples=[0.88],
    )
    f1: float | None = Field(description="Harmonic mean of both.", examples=[0.9])
    n: int = Field(description="Examples.", examples=[24])
    positives: int = Field(description="Positive ones.", examples=[12])
    negatives: int = Field(description="Negative ones.", examples=[12])
    warning: str | None = Field(
        description="What to know before trusting it; null where there is nothing to warn of."
    )
    model_revision: str | None = Field(description="The model over which it was trained.")
    trained_at: datetime | None = Field(description="When.")
    created_at: datetime = Field(description="When it was made.")
    updated_at: datetime = Field(description="When a person last changed it.")
    changed_by: str = Field(description="The id of the API key that did.", examples=["key_3f"])


class CategoryDetail(CategoryItem):
    """A category with its examples and its newest replays."""

    examples: list[ExampleOut] = Field(description="The newest set.")
    replays: list[ReplayOut] = Field(description="The ten newest, newest first.")
