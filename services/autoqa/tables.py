"""The tables of the schema `autoqa`, and the views of `ingest` that are read."""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Double,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

_own = MetaData(schema="autoqa")
_ingest = MetaData(schema="ingest")
_moment = DateTime(timezone=True)
_json = JSONB(none_as_null=True)

PREDICTION: Final = Table(
    "prediction",
    _own,
    Column("tenant_id", Text, primary_key=True),
    Column("conversation_id", Text, primary_key=True),
    Column("message_id", Text, primary_key=True),
    Column("model_revision", Text, primary_key=True),
    Column("input_hash", LargeBinary),
    Column("output", _json),
)

REVIEW: Final = Table(
    "review",
    _own,
    Column("tenant_id", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("conversation_id", Text),
    Column("round", Integer),
    Column("is_current", Boolean),
    Column("conversation_version", BigInteger),
    Column("reopen_count", Integer),
    Column("scorecard_id", Text),
    Column("scorecard_version", Integer),
    Column("model_revision", Text),
    Column("state", Text),
    Column("score", Double),
    Column("ratings", _json),
    Column("flags", _json),
    Column("sentiment", _json),
    Column("predicted_csat", Double),
    Column("resolved_label", Text),
    Column("resolved_probability", Double),
    Column("scored_at", _moment),
    Column("due_at", _moment),
)

SCORED: Final = Table(
    "scored",
    _own,
    Column("tenant_id", Text, primary_key=True),
    Column("conversation_id", Text, primary_key=True),
    Column("version", BigInteger),
    Column("scorecard_id", Text),
    Column("scorecard_version", Integer),
    Column("model_revision", Text),
    Column("published", Boolean),
    Column("scored_at", _moment),
)

CATEGORY_HEAD: Final = Table(
    "category_head",
    _own,
    Column("tenant_id", Text, primary_key=True),
    Column("category_id", Text, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("model_revision", Text, primary_key=True),
    Column("weights", LargeBinary),
    Column("bias", Double),
    Column("slope", Double),
    Column("offset", Double),
    Column("precision", Double),
    Column("recall", Double),
    Column("positives", Integer),
    Column("negatives", Integer),
    Column("trained_at", _moment),
)

CATEGORY_READING: Final = Table(
    "category_reading",
    _own,
    Column("tenant_id", Text, primary_key=True),
    Column("conversation_id", Text, primary_key=True),
    Column("message_id", Text, primary_key=True),
    Column("category_id", Text, primary_key=True),
    Column("category_version", Integer, primary_key=True),
    Column("model_revision", Text, primary_key=True),
    Column("input_hash", LargeBinary),
    Column("probability", Double),
    Column("evidence_start", Integer),
    Column("evidence_end", Integer),
)

REPLAY: Final = Table(
    "replay",
    _own,
    Column("tenant_id", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("category_id", Text),
    Column("state", Text),
    Column("total", Integer),
    Column("done", Integer),
    Column("after_opened_at", _moment),
    Column("after_conversation_id", Text),
    Column("updated_at", _moment),
)

CONVERSATION_V1: Final = Table(
    "conversation_v1",
    _ingest,
    Column("tenant_id", Text),
    Column("id", Text),
    Column("source", Text),
    Column("account_id", Text),
    Column("external_id", Text),
    Column("channel", Text),
    Column("language", Text),
    Column("status", Text),
    Column("agent", Text),
    Column("team", Text),
    Column("tags", ARRAY(Text)),
    Column("opened_at", _moment),
    Column("solved_at", _moment),
    Column("reopen_count", Integer),
    Column("message_count", Integer),
    Column("version", BigInteger),
    Column("received_at", _moment),
)

MESSAGE_V1: Final = Table(
    "message_v1",
    _ingest,
    Column("tenant_id", Text),
    Column("conversation_id", Text),
    Column("id", Text),
    Column("role", Text),
    Column("at", _moment),
    Column("text", Text),
    Column("language", Text),
    Column("deleted", Boolean),
)
