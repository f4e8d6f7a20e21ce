"""Custom categories with their examples, the scorecards they join, replays, and what waits to be told."""

from alembic import op

from shared.db.migrate import OWNER, execute_script, tenant_table

revision = "0002"
down_revision = "0001"

TABLES = """
create table metrics.category (
    tenant_id text not null,
    id text not null,
    name text not null,
    description text not null,
    role text not null check (role in ('customer', 'agent')),
    weight double precision not null check (weight > 0),
    critical boolean not null,
    in_scorecard boolean not null,
    enabled boolean not null,
    version int not null,
    active_version int,
    failed_version int,
    model_revision text,
    "precision" double precision,
    recall double precision,
    positives int not null,
    negatives int not null,
    warnings text[] not null,
    trained_at timestamptz,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    changed_by text not null,
    primary key (tenant_id, id)
);
create index category_newest on metrics.category (tenant_id, created_at desc, id desc);

create table metrics.category_example (
    tenant_id text not null,
    category_id text not null,
    version int not null,
    place int not null,
    text text not null,
    context jsonb not null,
    positive boolean not null,
    primary key (tenant_id, category_id, version, place),
    foreign key (tenant_id, category_id) references metrics.category on delete cascade
);

create table metrics.scorecard (
    tenant_id text not null,
    version int not null check (version > 1),
    categories jsonb not null,
    created_at timestamptz not null,
    primary key (tenant_id, version)
);

create table metrics.category_replay (
    tenant_id text not null,
    id text not null,
    category_id text not null,
    category_version int not null,
    opened_from timestamptz not null,
    opened_before timestamptz not null,
    created_at timestamptz not null,
    created_by text not null,
    primary key (tenant_id, id),
    foreign key (tenant_id, category_id) references metrics.category on delete cascade
);
create index category_replay_newest
    on metrics.category_replay (tenant_id, category_id, created_at desc, id desc);

create table metrics.category_outbox (
    tenant_id text not null,
    id text not null,
    topic text not null,
    type text not null,
    payload jsonb not null,
    created_at timestamptz not null,
    primary key (tenant_id, id)
);
create index category_outbox_oldest on metrics.category_outbox (tenant_id, created_at, id);

create table metrics.category_rollup (
    tenant_id text not null,
    category_id text not null,
    grain text not null,
    day date not null,
    team text not null,
    channel text not null,
    language text not null,
    source text not null,
    rated int not null,
    passed int not null,
    primary key (tenant_id, category_id, grain, day, team, channel, language, source)
);

alter table metrics.fact add column categories jsonb not null default '{}';

comment on column metrics.category.version is 'Counts sets of examples.';
comment on column metrics.category.active_version is 'The newest set that has a head: what is applied.';
comment on column metrics.category.failed_version is 'The newest set that could not be trained.';
comment on table metrics.category_example is 'Kept for the newest and the active version.';
comment on table metrics.scorecard is
    'What the custom categories added to the default scorecard, whose own version is 1; newest counts.';
comment on table metrics.category_outbox is 'Written with what it tells of, removed once acknowledged.';
comment on column metrics.fact.categories is 'Custom categories that passed (true) or failed (false).';
comment on table metrics.category_rollup is 'Sums over metrics.fact.categories, in the same transactions.';
"""

VIEWS = """
create view metrics.category_v1 with (security_invoker = true) as
select tenant_id, id, role, version, active_version, enabled, created_at from metrics.category;

create view metrics.category_example_v1 with (security_invoker = true) as
select tenant_id, category_id, version, place, text, context, positive from metrics.category_example;

create view metrics.scorecard_v1 with (security_invoker = true) as
select tenant_id, version, categories, created_at from metrics.scorecard;
"""

# Forced row-level security binds the owner too, so the function, which runs as the owner, needs a way.
FUNCTION = f"""
create policy lookup on metrics.category for select to {OWNER} using (true);
create policy lookup on metrics.category_outbox for select to {OWNER} using (true);

create function metrics.category_tenants() returns setof text
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
    select tenant_id from metrics.category union select tenant_id from metrics.category_outbox
$$;
revoke all on function metrics.category_tenants() from public;
grant execute on function metrics.category_tenants() to metrics, autoqa;
"""

OWN = ("category", "category_example", "scorecard", "category_replay", "category_outbox", "category_rollup")
GRANTS = """
grant select on metrics.category_v1, metrics.category_example_v1, metrics.scorecard_v1 to metrics, autoqa;
grant select (tenant_id, id, role, version, active_version, enabled, created_at)
    on metrics.category to autoqa;
grant select on metrics.category_example, metrics.scorecard to autoqa;
"""


def upgrade() -> None:
    """Create everything."""
    execute_script(TABLES)
    for table in OWN:
        execute_script(tenant_table(f"metrics.{table}"))
        execute_script(f"grant select, insert, update, delete on metrics.{table} to metrics")
    execute_script(VIEWS)
    execute_script(FUNCTION)
    execute_script(GRANTS)


def downgrade() -> None:
    """Drop what was created."""
    op.execute("drop function metrics.category_tenants()")
    for view in ("category_v1", "category_example_v1", "scorecard_v1"):
        op.execute(f"drop view metrics.{view}")
    for table in reversed(OWN):
        op.execute(f"drop table metrics.{table} cascade")
    op.execute("alter table metrics.fact drop column categories")
