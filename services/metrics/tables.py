"""The tables of the schema `metrics`."""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Double,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from shared.domain.kpi import AMOUNTS, COUNTS

_metadata = MetaData(schema="metrics")
_moment = DateTime(timezone=True)

API_KEY: Final = Table(
    "api_key",
    _metadata,
    Column("tenant_id", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("hash", LargeBinary),
    Column("role", Text),
    Column("name", Text),
    Column("created_at", _moment),
    Column("revoked_at", _moment),
)

FACT: Final = Table(
    "fact",
    _metadata,
    Column("tenant_id", Text, primary_key=True),
    Column("conversation_id", Text, primary_key=True),
    Column("source", Text),
    Column("external_id", Text),
    Column("channel", Text),
    Column("language", Text),
    Column("status", Text),
    Column("agent", Text),
    Column("team", Text),
    Column("tags", ARRAY(Text)),
    Column("opened_at", _moment),
    Column("day", Date),
    Column("solved_at", _moment),
    Column("message_count", Integer),
    Column("conversation_version", BigInteger),
    Column("review_id", Text),
    Column("review_version", BigInteger),
    Column("review_state", Text),
    Column("scorecard_id", Text),
    Column("scorecard_version", Integer),
    Column("model_revision", Text),
    Column("score", Double),
    Column("scored_at", _moment),
    Column("flags", ARRAY(Text)),
    Column("categories", JSONB),
    Column("first_response_bin", Integer),
    Column("resolution_bin", Integer),
    *(Column(name, SmallInteger) for name in COUNTS),
    *(Column(name, BigInteger) for name in AMOUNTS),
)

MARK: Final = Table(
    "mark",
    _metadata,
    Column("tenant_id", Text, primary_key=True),
    Column("conversation_id", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("opened_at", _moment),
)

FLAG: Final = Table(
    "flag",
    _metadata,
    Column("tenant_id", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("conversation_id", Text),
    Column("kind", Text),
    Column("severity", Text),
    Column("rank", SmallInteger),
    Column("confidence", Double),
    Column("evidence", JSONB),
    Column("seen_messages", ARRAY(Text)),
    Column("state", Text),
    Column("raised_at", _moment),
    Column("withdrawn_at", _moment),
    Column("changed_at", _moment),
    Column("changed_by", Text),
)

ROLLUP: Final = Table(
    "rollup",
    _metadata,
    Column("tenant_id", Text, primary_key=True),
    Column("grain", Text, primary_key=True),
    Column("day", Date, primary_key=True),
    Column("team", Text, primary_key=True),
    Column("channel", Text, primary_key=True),
    Column("language", Text, primary_key=True),
    Column("source", Text, primary_key=True),
    *(Column(name, Integer) for name in COUNTS),
    *(Column(name, BigInteger) for name in AMOUNTS),
)

AGENT_ROLLUP: Final = Table(
    "agent_rollup",
    _metadata,
    Column("tenant_id", Text, primary_key=True),
    Column("grain", Text, primary_key=True),
    Column("day", Date, primary_key=True),
    Column("team", Text, primary_key=True),
    Column("agent", Text, primary_key=True),
    *(Column(name, Integer) for name in COUNTS),
    *(Column(name, BigInteger) for name in AMOUNTS),
)

TEAM_DURATION: Final = Table(
    "team_duration",
    _metadata,
    Column("tenant_id", Text, primary_key=True),
    Column("duration", Text, primary_key=True),
    Column("grain", Text, primary_key=True),
    Column("day", Date, primary_key=True),
    Column("team", Text, primary_key=True),
    Column("bin", Integer, primary_key=True),
    Column("n", Integer),
)

CHANNEL_DURATION: Final = Table(
    "channel_duration",
    _metadata,
    Column("tenant_id", Text, primary_key=True),
    Column("duration", Text, primary_key=True),
    Column("grain", Text, primary_key=True),
    Column("day", Date, primary_key=True),
    Column("channel", Text, primary_key=True),
    Column("language", Text, primary_key=True),
    Column("source", Text, primary_key=True),
    Column("bin", Integer, primary_key=True),
    Column("n", Integer),
)

CATEGORY_ROLLUP: Final = Table(
    "category_rollup",
    _metadata,
    Column("tenant_id", Text, primary_key=True),
    Column("category_id", Text, primary_key=True),
    Column("grain", Text, primary_key=True),
    Column("day", Date, primary_key=True),
    Column("team", Text, primary_key=True),
    Column("channel", Text, primary_key=True),
    Column("language", Text, primary_key=True),
    Column("source", Text, primary_key=True),
    Column("rated", Integer),
    Column("passed", Integer),
)

ROLLUPS: Final = (ROLLUP, AGENT_ROLLUP, TEAM_DURATION, CHANNEL_DURATION, CATEGORY_ROLLUP)
"""Always written in this order, so that two writers cannot wait for each other."""

CATEGORY: Final = Table(
    "category",
    _metadata,
    Column("tenant_id", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("name", Text),
    Column("description", Text),
    Column("role", Text),
    Column("weight", Double),
    Column("critical", Boolean),
    Column("in_scorecard", Boolean),
    Column("enabled", Boolean),
    Column("version", Integer),
    Column("active_version", Integer),
    Column("failed_version", Integer),
    Column("model_revision", Text),
    Column("precision", Double),
    Column("recall", Double),
    Column("positives", Integer),
    Column("negatives", Integer),
    Column("warnings", ARRAY(Text)),
    Column("trained_at", _moment),
    Column("created_at", _moment),
    Column("updated_at", _moment),
    Column("changed_by", Text),
)

CATEGORY_EXAMPLE: Final = Table(
    "category_example",
    _metadata,
    Column("tenant_id", Text, primary_key=True),
    Column("category_id", Text, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("place", Integer, primary_key=True),
    Column("text", Text),
    Column("context", JSONB),
    Column("positive", Boolean),
)

SCORECARD: Final = Table(
    "scorecard",
    _metadata,
    Column("tenant_id", Text, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("categories", JSONB),
    Column("created_at", _moment),
)

CATEGORY_REPLAY: Final = Table(
    "category_replay",
    _metadata,
    Column("tenant_id", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("category_id", Text),
    Column("category_version", Integer),
    Column("opened_from", _moment),
    Column("opened_before", _moment),
    Column("created_at", _moment),
    Column("created_by", Text),
)

CATEGORY_OUTBOX: Final = Table(
    "category_outbox",
    _metadata,
    Column("tenant_id", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("topic", Text),
    Column("type", Text),
    Column("payload", JSONB),
    Column("created_at", _moment),
)
