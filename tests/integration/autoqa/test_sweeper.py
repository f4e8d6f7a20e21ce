"""What time alone changes is rated again: all of it, whatever stands in the way of one."""

from datetime import timedelta

from tests.integration.autoqa.bench import Bench

HELP = "customer: where is it? [churn]"


async def leave_untold(bench: Bench, *ids: str, tenant: str | None = None) -> None:
    """Conversations that are stored, but were told to nobody, as a process leaves them that dies."""
    await bench.score(*[await bench.put(HELP, of=one, tenant=tenant) for one in ids])
    await bench.rows("update autoqa.scored set published = false")


async def damage(bench: Bench, of: str, tenant: str) -> None:
    """The conversation can no longer be read."""
    await bench.rows(
        "update ingest.message set role = 'unheard-of' where tenant_id = $1 and conversation_id = $2",
        tenant,
        of,
    )


async def untold(bench: Bench) -> list[tuple[str, str]]:
    """Tenant and conversation of what nobody was told."""
    rows = await bench.rows(
        "select tenant_id, conversation_id from autoqa.scored where not published order by 1, 2"
    )
    return [tuple(row) for row in rows]


async def test_a_sweep_goes_through_everything_that_is_due(bench: Bench) -> None:
    """Chunk by chunk, more than fits into one."""
    await leave_untold(bench, "c1", "c2", "c3", "c4", "c5")
    bench.clock.advance(timedelta(minutes=2))
    assert await bench.autoqa.scorer.on_time_passed(most=2) == 5
    assert await untold(bench) == []


async def test_one_tenant_s_trouble_does_not_stop_the_others(bench: Bench) -> None:
    """Nor one conversation's those of its tenant; what cannot be rated stays due."""
    await leave_untold(bench, "c1", "c2", "c3", tenant="a-tenant-before")
    await leave_untold(bench, "c1", "c2")
    await damage(bench, "c2", "a-tenant-before")
    bench.clock.advance(timedelta(minutes=2))
    await bench.autoqa.scorer.on_time_passed()
    assert await untold(bench) == [("a-tenant-before", "c2")]
