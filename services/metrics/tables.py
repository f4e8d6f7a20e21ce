"""The tables of the schema `metrics`."""

from typing import Final

from sqlalchemy import (
    BigInteger,
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

ROLLUPS: Final = (ROLLUP, AGENT_ROLLUP, TEAM_DURATION, CHANNEL_DURATION)
"""Always written in this order, so that two writers cannot wait for each other."""
