"""The tables of the schema `ingest`, as far as the store names their columns."""

from typing import Final

from sqlalchemy import BigInteger, Boolean, Column, DateTime, Double, Integer, MetaData, Table, Text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

_metadata = MetaData(schema="ingest")
_moment = DateTime(timezone=True)

SOURCE: Final = Table(
    "source",
    _metadata,
    Column("tenant_id", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("vendor", Text),
    Column("account_id", Text),
    Column("secret", Text),
    Column("created_at", _moment),
)

CONVERSATION: Final = Table(
    "conversation",
    _metadata,
    Column("tenant_id", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("source", Text),
    Column("account_id", Text),
    Column("external_id", Text),
    Column("number", Text),
    Column("channel", Text),
    Column("language", Text),
    Column("status", Text),
    Column("agent_id", Text),
    Column("agent", Text),
    Column("team_id", Text),
    Column("team", Text),
    Column("tags", ARRAY(Text)),
    Column("customer_id", Text),
    Column("opened_at", _moment),
    Column("updated_at", _moment),
    Column("solved_at", _moment),
    Column("first_reply_at", _moment),
    Column("last_message_at", _moment),
    Column("reopen_count", Integer),
    Column("merged_into", Text),
    Column("message_count", Integer),
    Column("state", JSONB),
    Column("version", BigInteger),
    Column("received_at", _moment),
    Column("published_version", BigInteger),
    Column("published_at", _moment),
)

MESSAGE: Final = Table(
    "message",
    _metadata,
    Column("tenant_id", Text, primary_key=True),
    Column("conversation_id", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("role", Text),
    Column("at", _moment),
    Column("text", Text),
    Column("quoted_text", Text),
    Column("language", Text),
    Column("author_id", Text),
    Column("author_name", Text),
    Column("author_kind", Text),
    Column("deleted", Boolean),
    Column("shown", Boolean),
    Column("registers", JSONB),
)

SURVEY: Final = Table(
    "survey",
    _metadata,
    Column("tenant_id", Text, primary_key=True),
    Column("conversation_id", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("score", Double),
    Column("comment", Text),
    Column("answered_at", _moment),
)
