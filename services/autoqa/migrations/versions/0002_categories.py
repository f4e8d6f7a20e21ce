"""Heads of custom categories, what they said of messages, and how far replays came."""

from alembic import op

from shared.db.migrate import execute_script, tenant_table

revision = "0002"
down_revision = "0001"

TABLES = """
create table autoqa.category_head (
    tenant_id text not null,
    category_id text not null,
    version int not null,
    model_revision text not null,
    weights bytea not null,
    bias double precision not null,
    slope double precision not null,
    "offset" double precision not null,
    "precision" double precision not null,
    recall double precision not null,
    positives int not null,
    negatives int not null,
    trained_at timestamptz not null,
    primary key (tenant_id, category_id, version, model_revision)
);

create table autoqa.category_reading (
    tenant_id text not null,
    conversation_id text not null,
    message_id text not null,
    category_id text not null,
    category_version int not null,
    model_revision text not null,
    input_hash bytea not null,
    probability double precision not null,
    evidence_start int not null,
    evidence_end int not null,
    primary key (tenant_id, conversation_id, message_id, category_id, category_version, model_revision)
);
create index category_reading_category on autoqa.category_reading (tenant_id, category_id);

create table autoqa.replay (
    tenant_id text not null,
    id text not null,
    category_id text not null,
    state text not null check (state in ('running', 'done', 'cancelled')),
    total int not null,
    done int not null,
    after_opened_at timestamptz,
    after_conversation_id text,
    updated_at timestamptz not null,
    primary key (tenant_id, id)
);

comment on column autoqa.category_head.weights is 'Little-endian 64-bit floats, one a feature.';
comment on column autoqa.category_reading.input_hash is 'As in autoqa.prediction.';
comment on column autoqa.replay.after_conversation_id is 'The last one scored; null before the first.';
"""

VIEWS = """
create view autoqa.replay_v1 with (security_invoker = true) as
select tenant_id, id, category_id, state, total, done, updated_at from autoqa.replay;
"""

OWN = ("category_head", "category_reading", "replay")
GRANTS = """
grant select on autoqa.replay_v1 to autoqa, metrics;
grant select (tenant_id, id, category_id, state, total, done, updated_at) on autoqa.replay to metrics;
"""


def upgrade() -> None:
    """Create everything."""
    execute_script(TABLES)
    for table in OWN:
        execute_script(tenant_table(f"autoqa.{table}"))
        execute_script(f"grant select, insert, update, delete on autoqa.{table} to autoqa")
    execute_script(VIEWS)
    execute_script(GRANTS)


def downgrade() -> None:
    """Drop what was created."""
    op.execute("drop view autoqa.replay_v1")
    for table in OWN:
        op.execute(f"drop table autoqa.{table}")
