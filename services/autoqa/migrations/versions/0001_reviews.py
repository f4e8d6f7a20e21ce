"""Predictions of messages, reviews of conversations, and which versions were looked at."""

from alembic import op

from shared.db.migrate import execute_script, tenant_table

revision = "0001"
down_revision = None

TABLES = """
create table autoqa.prediction (
    tenant_id text not null,
    conversation_id text not null,
    message_id text not null,
    model_revision text not null,
    input_hash bytea not null,
    output jsonb not null,
    primary key (tenant_id, conversation_id, message_id, model_revision)
);

create table autoqa.review (
    tenant_id text not null,
    id text not null,
    conversation_id text not null,
    round int not null,
    is_current boolean not null,
    conversation_version bigint not null,
    reopen_count int not null,
    scorecard_id text not null,
    scorecard_version int not null,
    model_revision text not null,
    state text not null check (state in ('provisional', 'final')),
    score double precision,
    ratings jsonb not null,
    flags jsonb not null,
    sentiment jsonb,
    predicted_csat double precision,
    resolved_label text,
    resolved_probability double precision,
    scored_at timestamptz not null,
    due_at timestamptz,
    primary key (tenant_id, id),
    unique (tenant_id, conversation_id, round)
);
create unique index review_current on autoqa.review (tenant_id, conversation_id) where is_current;
create index review_due on autoqa.review (tenant_id, due_at) where is_current and due_at is not null;

create table autoqa.scored (
    tenant_id text not null,
    conversation_id text not null,
    version bigint not null,
    scorecard_id text not null,
    scorecard_version int not null,
    model_revision text not null,
    published boolean not null,
    scored_at timestamptz not null,
    primary key (tenant_id, conversation_id)
);
create index scored_unpublished on autoqa.scored (tenant_id, scored_at) where not published;

comment on column autoqa.prediction.input_hash is 'Names what the model read: text, role, channel, context.';
comment on column autoqa.review.round is 'A reopening after a final review starts the next one.';
comment on column autoqa.review.due_at is 'When time alone will change the review; null for never.';
comment on column autoqa.scored.version is 'Newest version that has a review or was found not eligible.';
comment on column autoqa.scored.published is 'The broker acknowledged what was found in this version.';
"""

VIEWS = """
create view autoqa.review_v1 with (security_invoker = true) as
select tenant_id, id, conversation_id, round, is_current, conversation_version, scorecard_id,
       scorecard_version, model_revision, state, score, ratings, flags, sentiment, predicted_csat,
       resolved_label, resolved_probability, scored_at
from autoqa.review;

create view autoqa.prediction_v1 with (security_invoker = true) as
select tenant_id, conversation_id, message_id, model_revision, output from autoqa.prediction;

create view autoqa.scored_v1 with (security_invoker = true) as
select tenant_id, conversation_id, version from autoqa.scored;
"""

GRANTS = """
grant usage on schema autoqa to autoqa, ingest, metrics;
grant select, insert, update, delete on autoqa.prediction, autoqa.review, autoqa.scored to autoqa;
grant select on autoqa.review, autoqa.prediction, autoqa.scored to metrics;
grant select on autoqa.review_v1, autoqa.prediction_v1, autoqa.scored_v1 to autoqa, metrics;
grant select (tenant_id, conversation_id, version) on autoqa.scored to ingest;
grant select on autoqa.scored_v1 to ingest;
"""


def upgrade() -> None:
    """Create everything."""
    execute_script(TABLES)
    for table in ("prediction", "review", "scored"):
        execute_script(tenant_table(f"autoqa.{table}"))
    execute_script(VIEWS)
    execute_script(GRANTS)


def downgrade() -> None:
    """Drop everything."""
    op.execute("drop schema autoqa cascade")
