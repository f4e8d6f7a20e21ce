"""Sources, and conversations folded from their events."""

from alembic import op

from shared.db.migrate import OWNER, execute_script, tenant_table

revision = "0001"
down_revision = None

READERS = "autoqa, metrics"

TABLES = """
create table ingest.source (
    tenant_id text not null,
    id text not null,
    vendor text not null,
    account_id text,
    secret text not null,
    created_at timestamptz not null default now(),
    primary key (tenant_id, id)
);
-- The one index that does not begin with the tenant: it finds out whose webhook it is.
create index source_id on ingest.source (id);

create table ingest.conversation (
    tenant_id text not null,
    id text not null,
    source text not null,
    account_id text,
    external_id text not null,
    number text,
    channel text,
    language text,
    status text not null,
    agent_id text,
    agent text,
    team_id text,
    team text,
    tags text[] not null default '{}',
    customer_id text,
    opened_at timestamptz not null,
    updated_at timestamptz,
    solved_at timestamptz,
    first_reply_at timestamptz,
    last_message_at timestamptz,
    reopen_count int not null default 0,
    merged_into text,
    message_count int not null default 0,
    state jsonb not null,
    version bigint not null,
    received_at timestamptz not null,
    published_version bigint not null default 0,
    published_at timestamptz,
    primary key (tenant_id, id)
);
create index conversation_received on ingest.conversation (tenant_id, received_at, id);

create table ingest.message (
    tenant_id text not null,
    conversation_id text not null,
    id text not null,
    role text,
    at timestamptz not null,
    text text not null,
    quoted_text text,
    language text,
    author_id text,
    author_name text,
    author_kind text,
    deleted boolean not null,
    shown boolean not null,
    registers jsonb not null,
    primary key (tenant_id, conversation_id, id)
);

create table ingest.survey (
    tenant_id text not null,
    conversation_id text not null,
    kind text not null,
    score double precision not null,
    comment text,
    answered_at timestamptz,
    primary key (tenant_id, conversation_id, kind)
);

comment on column ingest.conversation.state is 'The folded events; holds subject and customer.';
comment on column ingest.conversation.published_version is 'Newest version told on conversations-changed.';
comment on column ingest.message.shown is
    'False while no event told who speaks, and for a description that came again as a message.';
comment on column ingest.message.registers is 'Stamps of what the columns hold, for the fold.';
"""

VIEWS = """
create view ingest.conversation_v1 with (security_invoker = true) as
select tenant_id, id, source, account_id, external_id, number, channel, language, status, agent_id, agent,
       team_id, team, tags, customer_id, opened_at, updated_at, solved_at, first_reply_at, last_message_at,
       reopen_count, merged_into, message_count, version, received_at
from ingest.conversation;

create view ingest.message_v1 with (security_invoker = true) as
select tenant_id, conversation_id, id, role, at, text, language, author_id, author_name, author_kind, deleted
from ingest.message
where shown;

create view ingest.survey_v1 with (security_invoker = true) as
select tenant_id, conversation_id, kind, score, comment, answered_at
from ingest.survey;
"""

# Forced row-level security binds the owner too, so the functions below, which run as the owner, need a way.
FUNCTIONS = f"""
create policy lookup on ingest.source for select to {OWNER} using (true);
create policy lookup on ingest.conversation for select to {OWNER} using (true);

create function ingest.webhook_source(source_id text)
returns table (tenant_id text, vendor text, account_id text, secret text)
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
    select s.tenant_id, s.vendor, s.account_id, s.secret from ingest.source s where s.id = source_id
$$;

-- One step of the index per tenant, however many conversations there are.
create function ingest.tenants() returns setof text
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
    with recursive found (tenant_id) as (
        select min(tenant_id) from ingest.conversation
        union all
        select (select min(c.tenant_id) from ingest.conversation c where c.tenant_id > found.tenant_id)
        from found where found.tenant_id is not null
    )
    select tenant_id from found where tenant_id is not null
    union
    select tenant_id from ingest.source
$$;

revoke all on function ingest.webhook_source(text), ingest.tenants() from public;
"""

GRANTS = f"""
grant usage on schema ingest to ingest, {READERS};
grant select, insert, update, delete
    on ingest.source, ingest.conversation, ingest.message, ingest.survey to ingest;
grant execute on function ingest.webhook_source(text), ingest.tenants() to ingest;
grant execute on function ingest.tenants() to {READERS};
grant select on ingest.conversation_v1, ingest.message_v1, ingest.survey_v1 to ingest, {READERS};

-- The views run with their reader's rights: only the columns they show, never the folded state.
grant select (tenant_id, id, source, account_id, external_id, number, channel, language, status, agent_id,
              agent, team_id, team, tags, customer_id, opened_at, updated_at, solved_at, first_reply_at,
              last_message_at, reopen_count, merged_into, message_count, version, received_at)
    on ingest.conversation to {READERS};
grant select (tenant_id, conversation_id, id, role, at, text, language, author_id, author_name, author_kind,
              deleted, shown)
    on ingest.message to {READERS};
grant select on ingest.survey to {READERS};
"""


def upgrade() -> None:
    """Create everything."""
    execute_script(TABLES)
    for table in ("source", "conversation", "message", "survey"):
        execute_script(tenant_table(f"ingest.{table}"))
    execute_script(VIEWS)
    execute_script(FUNCTIONS)
    execute_script(GRANTS)


def downgrade() -> None:
    """Drop everything."""
    op.execute("drop schema ingest cascade")
