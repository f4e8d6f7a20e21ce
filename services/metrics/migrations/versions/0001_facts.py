"""API keys, one fact a conversation, flags with people's state, and the rollups of the facts."""

from alembic import op

from shared.db.migrate import OWNER, execute_script, tenant_table

revision = "0001"
down_revision = None

CATEGORIES = [
    "greeting",
    "closing",
    "empathy",
    "tone",
    "solution",
    "comprehension",
    "grammar",
    "readability",
    "timeliness",
]
FLAGS = [
    "churn",
    "escalation",
    "legal",
    "abuse",
    "publicity",
    "payment_dispute",
    "data_protection",
    "vulnerability",
    "repeat_contact",
    "unanswered",
    "agent_abuse",
]
COUNTS = [
    "conversations",
    "finished",
    "finished_no_reopen",
    "finished_no_repeat",
    "finished_no_return",
    "finished_one_reply",
    "eligible",
    "reviewed",
    "scored",
    "csat_n",
    "csat_satisfied",
    "csat_finished",
    "nps_n",
    "nps_promoters",
    "nps_detractors",
    "ces_n",
    "first_response_n",
    "resolution_n",
    "sentiment_n",
    "sentiment_negative",
    "sentiment_positive",
    "predicted_csat_n",
    *(f"rated_{category}" for category in CATEGORIES),
    *(f"passed_{category}" for category in CATEGORIES),
    *(f"flag_{kind}" for kind in FLAGS),
]
AMOUNTS = [
    "score_sum",
    "csat_sum",
    "ces_sum",
    "first_response_sum",
    "resolution_sum",
    "sentiment_shift_sum",
    "predicted_csat_sum",
]
TABLES = ("api_key", "fact", "mark", "flag", "rollup", "agent_rollup", "team_duration", "channel_duration")


def measures(*, count_type: str) -> str:
    """Columns of the measures; sums are whole numbers of small units."""
    return ",\n".join(
        [f"    {name} {count_type} not null default 0" for name in COUNTS]
        + [f"    {name} bigint not null default 0" for name in AMOUNTS]
    )


KEYS = f"""
create table metrics.api_key (
    tenant_id text not null,
    id text not null,
    hash bytea not null,
    role text not null check (role in ('ingest', 'viewer', 'qa_lead', 'admin')),
    name text,
    created_at timestamptz not null,
    revoked_at timestamptz,
    primary key (tenant_id, id),
    unique (tenant_id, hash)
);
-- The one index that does not begin with the tenant: it finds out which tenant asks.
create index api_key_hash on metrics.api_key (hash);
{tenant_table("metrics.api_key")}
-- Forced row-level security binds the owner too, so the function, which runs as the owner, needs a way.
create policy lookup on metrics.api_key for select to {OWNER} using (true);

create function metrics.authenticate(hash bytea)
returns table (key_id text, tenant_id text, role text)
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
    select k.id, k.tenant_id, k.role from metrics.api_key k
    where k.hash = authenticate.hash and k.revoked_at is null
$$;
revoke all on function metrics.authenticate(bytea) from public;
"""

FACTS = f"""
create table metrics.fact (
    tenant_id text not null,
    conversation_id text not null,
    source text not null,
    external_id text not null,
    channel text not null,
    language text not null,
    status text not null,
    agent text not null,
    team text not null,
    tags text[] not null,
    opened_at timestamptz not null,
    day date not null,
    solved_at timestamptz,
    message_count int not null,
    conversation_version bigint not null,
    review_id text,
    review_version bigint,
    review_state text,
    scorecard_id text,
    scorecard_version int,
    model_revision text,
    score double precision,
    scored_at timestamptz,
    flags text[] not null,
    first_response_bin int,
    resolution_bin int,
{measures(count_type="smallint")},
    primary key (tenant_id, conversation_id)
);
create index fact_newest on metrics.fact (tenant_id, opened_at desc, conversation_id desc);
create index fact_team on metrics.fact (tenant_id, team, opened_at desc, conversation_id desc);
create index fact_agent on metrics.fact (tenant_id, agent, opened_at desc, conversation_id desc);
create index fact_external on metrics.fact (tenant_id, external_id);
-- For rare values; frequent ones are found in the order of time. Small, since equal keys are stored once.
create index fact_status on metrics.fact (tenant_id, status);
create index fact_channel on metrics.fact (tenant_id, channel);
create index fact_language on metrics.fact (tenant_id, language);
create index fact_source on metrics.fact (tenant_id, source);
create index fact_score on metrics.fact (tenant_id, score);

comment on column metrics.fact.channel is 'Here and in language, agent, team an empty text stands for none.';
comment on column metrics.fact.day is 'Of opened_at, in UTC; KPIs are kept by it.';
comment on column metrics.fact.flags is 'Kinds found by the current review, whatever people made of them.';
comment on column metrics.fact.conversations is
    'From here on: what the conversation adds to the KPIs; all 0 for a merged, deleted or spam one.';

create table metrics.mark (
    tenant_id text not null,
    conversation_id text not null,
    kind text not null,
    name text not null,
    opened_at timestamptz not null,
    primary key (tenant_id, conversation_id, kind, name)
);
create index mark_newest on metrics.mark (tenant_id, kind, name, opened_at desc, conversation_id desc);

comment on table metrics.mark is
    'Tags and flags of metrics.fact, row by row: under row-level security an index of arrays is not used.';

create table metrics.flag (
    tenant_id text not null,
    id text not null,
    conversation_id text not null,
    kind text not null,
    severity text not null,
    rank smallint not null,
    confidence double precision not null,
    evidence jsonb not null,
    seen_messages text[] not null,
    state text not null default 'open' check (state in ('open', 'acknowledged', 'dismissed')),
    raised_at timestamptz not null,
    withdrawn_at timestamptz,
    changed_at timestamptz,
    changed_by text,
    primary key (tenant_id, id),
    unique (tenant_id, conversation_id, kind)
);
create index flag_newest on metrics.flag (tenant_id, raised_at desc, id desc);
create index flag_state_newest on metrics.flag (tenant_id, state, raised_at desc, id desc);
create index flag_state_severest on metrics.flag (tenant_id, state, rank desc, raised_at desc, id desc);

comment on column metrics.flag.seen_messages is 'All messages that ever proved it; a new one opens it again.';
comment on column metrics.flag.withdrawn_at is 'No longer found, but a person had decided on it.';
comment on column metrics.flag.changed_by is 'The API key that set the state.';
"""

ROLLUPS = f"""
create table metrics.rollup (
    tenant_id text not null,
    grain text not null,
    day date not null,
    team text not null,
    channel text not null,
    language text not null,
    source text not null,
{measures(count_type="int")},
    primary key (tenant_id, grain, day, team, channel, language, source)
);

create table metrics.agent_rollup (
    tenant_id text not null,
    grain text not null,
    day date not null,
    team text not null,
    agent text not null,
{measures(count_type="int")},
    primary key (tenant_id, grain, day, team, agent)
);

create table metrics.team_duration (
    tenant_id text not null,
    duration text not null,
    grain text not null,
    day date not null,
    team text not null,
    bin int not null,
    n int not null,
    primary key (tenant_id, duration, grain, day, team, bin)
);

create table metrics.channel_duration (
    tenant_id text not null,
    duration text not null,
    grain text not null,
    day date not null,
    channel text not null,
    language text not null,
    source text not null,
    bin int not null,
    n int not null,
    primary key (tenant_id, duration, grain, day, channel, language, source, bin)
);

comment on table metrics.rollup is 'Sums of the measures of metrics.fact, kept in the same transactions.';
comment on column metrics.rollup.grain is 'Rows stand for a day, an ISO week or a month; day is the first.';
comment on table metrics.agent_rollup is 'Apart, since agents would multiply the rows of the other.';
comment on table metrics.team_duration is 'Histogram; bins as in shared.domain.kpi.duration_bin.';
comment on table metrics.channel_duration is 'By channel; apart, since teams would multiply its rows.';
"""

GRANTS = """
grant usage on schema metrics to ingest, autoqa, metrics;
grant execute on function metrics.authenticate(bytea) to ingest, autoqa, metrics;
"""


def upgrade() -> None:
    """Create everything."""
    execute_script(KEYS)
    execute_script(FACTS)
    execute_script(ROLLUPS)
    for table in TABLES[1:]:
        execute_script(tenant_table(f"metrics.{table}"))
    execute_script(GRANTS)
    for table in TABLES:
        execute_script(f"grant select, insert, update, delete on metrics.{table} to metrics")


def downgrade() -> None:
    """Drop everything."""
    op.execute("drop schema metrics cascade")
