"""What nobody scored is told again, so that a lost topic or a crash heals."""

from datetime import UTC, datetime, timedelta

import pytest

from services.ingest.handlers import GRACE, TELL_AGAIN, republish
from tests.integration.ingest.bench import Bench, an_event


@pytest.fixture
async def stored(bench: Bench) -> Bench:
    """Three conversations, told of when they arrived."""
    # The broker stamps records with the machine's time, so ours has to be near it.
    bench.clock.at = datetime.now(UTC)
    await bench.fold(*(an_event(conversation={"id": str(number)}) for number in range(3)))
    return bench


async def again(bench: Bench, *, after: timedelta, at_start: bool, chunk_size: int = 100) -> int:
    """How many are told once more."""
    bench.clock.advance(after)
    return await republish(
        store=bench.ingest.store,
        producer=bench.ingest.producer,
        clock=bench.clock,
        at_start=at_start,
        chunk_size=chunk_size,
    )


async def test_a_fresh_broker_hears_of_all_that_is_not_scored(stored: Bench) -> None:
    """At the start everything counts; what has its score does not."""
    [first, *_] = await stored.conversations()
    await stored.score(first["id"], first["version"])
    assert await again(stored, after=2 * GRACE, at_start=True) == 2
    told = [one["conversation_id"] for one in await stored.told()]
    assert len(told) == 5
    assert told.count(first["id"]) == 1


async def test_an_old_version_s_score_does_not_count(stored: Bench) -> None:
    """The present one was never scored."""
    for row in await stored.conversations():
        await stored.score(row["id"], row["version"] - 1)
    assert await again(stored, after=2 * GRACE, at_start=True) == 3


async def test_what_is_still_on_its_way_is_left_alone(stored: Bench) -> None:
    """The others need a moment."""
    assert await again(stored, after=GRACE / 2, at_start=True) == 0


async def test_a_running_service_tells_what_was_never_told(stored: Bench) -> None:
    """As after a crash between the transaction and the publication."""
    assert await again(stored, after=2 * GRACE, at_start=False) == 0
    await stored.execute("update ingest.conversation set published_version = 0 where external_id = '1'")
    assert await again(stored, after=timedelta(), at_start=False) == 1
    assert await again(stored, after=timedelta(), at_start=False) == 0


async def test_a_running_service_does_not_insist(stored: Bench) -> None:
    """What is not scored is told again after a while, not every minute."""
    assert await again(stored, after=TELL_AGAIN + GRACE, at_start=False) == 3
    assert await again(stored, after=GRACE, at_start=False) == 0


async def test_chunks_miss_nothing(stored: Bench) -> None:
    """Also where many were received in the same moment."""
    await stored.execute("update ingest.conversation set received_at = now() - interval '1 hour'")
    assert await again(stored, after=2 * GRACE, at_start=True, chunk_size=1) == 3


async def test_one_tenant_s_trouble_does_not_keep_the_others_from_being_told(stored: Bench) -> None:
    """The first tenant's rows cannot be written; the second is told all the same."""
    await stored.produce(an_event(conversation={"id": "9"}), tenant="a-tenant-before")
    await stored.consume()
    await stored.execute(
        """create function refuse() returns trigger language plpgsql as
           $$ begin raise exception 'refused' using errcode = 'data_exception'; end $$"""
    )
    await stored.execute(
        """create trigger refused before update on ingest.conversation for each row
           when (new.tenant_id = 'a-tenant-before') execute function refuse()"""
    )
    assert await again(stored, after=2 * GRACE, at_start=True) == 3
