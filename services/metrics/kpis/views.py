"""KPIs as the API shows them."""

from pydantic import BaseModel, ConfigDict, Field


class KpiValue(BaseModel):
    """A figure, and what stands behind it."""

    value: float | None = Field(description="In the metric's unit; null where n is 0.", examples=[81.2])
    n: int = Field(description="Conversations, answers or ratings that it was computed from.", examples=[412])


KpiRow = dict[str, str | KpiValue | None]
"""Group names to their values, metric names to figures."""


class KpiRows(BaseModel):
    """One row a group."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "rows": [
                        {
                            "team": "Billing",
                            "week": "2026-W10",
                            "aqs": {"value": 81.2, "n": 412},
                            "csat": {"value": 88.0, "n": 75},
                        }
                    ]
                }
            ]
        }
    )

    rows: list[KpiRow] = Field(
        description="Sorted by group. Each holds the groups asked for (null: none known; weeks are ISO"
        " weeks like `2026-W10`, days and months like `2026-03-02` and `2026-03`, in UTC) and each metric."
    )
