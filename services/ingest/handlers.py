"""The use cases of ingest: take in at the door, fold what was taken in, tell the others."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from services.ingest.directory import WebhookSource
from services.ingest.language import LanguageDetector
from services.ingest.publish import Publishable, changed_records
from services.ingest.records import event_record, webhook_record
from services.ingest.refold import Arrival, Refolded, refold
from services.ingest.rows import rows_of
from services.ingest.sources import SOURCES, Disposition, Glance, Headers
from services.ingest.store import Store, Unscored
from services.ingest.traffic import Traffic
from shared.broker.kafka import Producer
from shared.broker.record import Outgoing
from shared.clock import Clock
from shared.contracts.envelope import Envelope
from shared.contracts.plain_json import decode_json
from shared.contracts.v1.ticket_event import checked_ticket_event
from shared.domain.ticket_event import EventKind
from shared.errors import PruefsteinError, Rejected, TooLarge
from shared.telemetry import metrics
from shared.telemetry.logging import get_logger

log = get_logger()

THREAD_FROM_BYTES: Final = 256 * 1024
"""Bodies from here on are hashed and decoded in a thread; below, the hop costs more than it saves."""
REPUBLISH_CHUNK: Final = 500
GRACE: Final = timedelta(seconds=30)
"""So long a conversation may be on its way to its score."""
TELL_AGAIN: Final = timedelta(minutes=10)
"""What was told and is not scored after this long is told once more."""
LOOK_BACK: Final = timedelta(days=1)
"""How far back a running service looks; a starting one looks at everything."""


async def on_webhook(
    source: WebhookSource, body: bytes, headers: Headers, *, producer: Producer, clock: Clock
) -> Disposition:
    """Verify a delivery and, where it is an event, return once the broker has acknowledged it.

    Raises `Unauthenticated`, `Rejected` or `Transient`.
    """
    now = clock.now()

    def read() -> Glance:
        vendor = SOURCES[source.vendor]
        vendor.verify(body, headers, secret=source.secret, now=now)
        return vendor.glance(decode_json(body), headers)

    glance = read() if len(body) < THREAD_FROM_BYTES else await asyncio.to_thread(read)
    if glance.disposition is Disposition.EVENT:
        await producer.send([webhook_record(source, glance, body, headers)])
    return glance.disposition


async def on_events(
    envelopes: Sequence[Envelope], *, tenant_id: str, max_bytes: int, producer: Producer
) -> int:
    """Take in canonical events, all or none; how many. Raises `Rejected` naming the first that is wrong."""

    def read() -> list[Outgoing]:
        return [
            record
            for place, envelope in enumerate(envelopes)
            if (record := _checked(place, envelope, tenant_id, max_bytes)) is not None
        ]

    size = sum(len(envelope.data) for envelope in envelopes)
    records = read() if size < THREAD_FROM_BYTES else await asyncio.to_thread(read)
    if records:
        await producer.send(records)
    return len(envelopes)


def _checked(place: int, envelope: Envelope, tenant_id: str, max_bytes: int) -> Outgoing | None:
    if len(envelope.data) > max_bytes:
        raise TooLarge(f"event {place}: over {max_bytes} bytes")
    try:
        event = checked_ticket_event(envelope.json())
    except Rejected as error:
        raise Rejected(f"event {place}: {error.detail}", reason=error.reason) from None
    if event.event is EventKind.PING or event.conversation is None:
        return None
    return event_record(
        envelope,
        tenant_id=tenant_id,
        source=event.source,
        account_id=event.account_id,
        external_id=event.conversation.id,
    )


class Folder:
    """Folds what stands on `ticket-events` into conversations."""

    def __init__(
        self,
        *,
        store: Store,
        producer: Producer,
        languages: LanguageDetector,
        traffic: Traffic,
        clock: Clock,
    ) -> None:
        """`languages` detects, in a thread; `traffic` at the door goes first."""
        self._store = store
        self._producer = producer
        self._languages = languages
        self._traffic = traffic
        self._clock = clock
        self._worked_seconds = 0.0

    async def on_arrivals(self, batch: Sequence[Sequence[Arrival]]) -> None:
        """Fold a batch and tell of what changed; the same batch again changes nothing.

        What was committed but not yet told, by a crash or an absent broker, is told with the repetition.
        """
        await self._traffic.give_way(self._worked_seconds)
        started = time.monotonic()
        by_tenant: defaultdict[str, list[Arrival]] = defaultdict(list)
        for arrivals in batch:
            for arrival in arrivals:
                by_tenant[arrival.tenant_id].append(arrival)
        told = [await self._fold(tenant_id, arrivals) for tenant_id, arrivals in by_tenant.items()]
        await tell(told, store=self._store, producer=self._producer, clock=self._clock)
        self._worked_seconds = time.monotonic() - started

    async def _fold(self, tenant_id: str, arrivals: Sequence[Arrival]) -> list[Publishable]:
        by_conversation: defaultdict[str, list[Arrival]] = defaultdict(list)
        for arrival in arrivals:
            by_conversation[arrival.conversation.id].append(arrival)
        wanted = {key: found[0].conversation for key, found in by_conversation.items()}
        async with self._store.folding(tenant_id) as folding:
            named = {message_id for arrival in arrivals for message_id in arrival.message_ids}
            known = await folding.load(wanted, arrivals[0].received_at, with_texts=named)
            # Off the loop: a long conversation of long mails takes seconds to lay out anew.
            refolded = await asyncio.to_thread(
                lambda: [refold(one, by_conversation[one.identity.id]) for one in known]
            )
            changed = [one for one in refolded if one.is_changed]
            detected = await self._detect(changed)
            rows = await asyncio.to_thread(
                lambda: [
                    rows_of(one, tenant_id, detected=found)
                    for one, found in zip(changed, detected, strict=True)
                ]
            )
            await folding.save(rows)
        for one in refolded:
            _count(one)
        return [
            Publishable(tenant_id=tenant_id, conversation=one.before.identity, version=one.version)
            for one in refolded
            if one.version > one.before.published_version
        ]

    async def _detect(self, changed: Sequence[Refolded]) -> list[dict[str, str | None]]:
        """The languages of new texts, for each conversation by message id; one hop for all."""
        texts = [one.new_texts for one in changed]
        if not any(texts):
            return [{} for _ in changed]

        def detect() -> list[dict[str, str | None]]:
            return [{key: self._languages.detect(text) for key, text in found.items()} for found in texts]

        return await asyncio.to_thread(detect)


def _count(one: Refolded) -> None:
    source = one.before.identity.source
    vendor = source if source in SOURCES else "other"
    news = sum(one.was_news)
    metrics.EVENTS_FOLDED.labels(vendor, "changed").inc(news)
    metrics.EVENTS_FOLDED.labels(vendor, "duplicate").inc(len(one.was_news) - news)


async def tell(
    told: Sequence[Sequence[Publishable]], *, store: Store, producer: Producer, clock: Clock
) -> None:
    """Publish versions, each tenant's in a list of its own, and note that they were published."""
    records = changed_records([one for of_tenant in told for one in of_tenant])
    if not records:
        return
    await producer.send(records)
    for of_tenant in told:
        await store.mark_published(of_tenant, clock.now())


async def republish(
    *,
    store: Store,
    producer: Producer,
    clock: Clock,
    at_start: bool,
    started_at: datetime | None = None,
    chunk_size: int = REPUBLISH_CHUNK,
) -> int:
    """Tell again of what was never scored; how many. Raises `Transient`.

    At the start everything counts that is older than `GRACE`: topics may have been lost while the database
    was kept; what was told since `started_at` is on its way. Later only what was committed but never told,
    or told long ago.
    """
    now = clock.now()
    before = now - GRACE
    wanted = Unscored(
        since=datetime.min.replace(tzinfo=UTC) if at_start else now - LOOK_BACK,
        before=before,
        told_before=(started_at or now) if at_start else now - TELL_AGAIN,
    )
    count = 0
    for tenant_id in await store.tenants():
        try:
            async for chunk in store.unscored(tenant_id, wanted, size=chunk_size):
                await tell([chunk], store=store, producer=producer, clock=clock)
                count += len(chunk)
        except PruefsteinError:
            raise
        except Exception as error:  # one tenant's trouble must not keep the others from being told
            log.error("ingest.republish_failed", exc_info=error)
    if count:
        log.info("ingest.republished", conversations=count)
    return count
