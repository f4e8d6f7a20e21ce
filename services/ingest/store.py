"""All SQL of ingest. Every method is one transaction, except inside `folding`."""

from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Text, any_, bindparam, case, delete, insert, literal, or_, select, text, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.ingest.directory import WebhookSource
from services.ingest.publish import Publishable
from services.ingest.refold import Identity, Known
from services.ingest.rows import ConversationRows, known_message
from services.ingest.tables import CONVERSATION, MESSAGE, SOURCE, SURVEY
from shared.db.database import Database
from shared.domain.fold import EMPTY, MessageState, State


@dataclass(frozen=True, slots=True, kw_only=True)
class Unscored:
    """Which conversations: received in [since, before), told to nobody yet or before `told_before`."""

    since: datetime
    before: datetime
    told_before: datetime


_UNSCORED = text("""
    select c.id, c.source, c.account_id, c.external_id, c.version, c.received_at
    from ingest.conversation c
    where (c.received_at, c.id) > (:since, :after_id)
      and c.received_at < :before
      and (c.published_version < c.version or c.published_at < :told_before)
      and not exists (
          select from autoqa.scored_v1 s
          where s.tenant_id = c.tenant_id and s.conversation_id = c.id and s.version >= c.version
      )
    order by c.received_at, c.id
    limit :size
""")


_SHOW = (
    update(MESSAGE)
    .where(
        MESSAGE.c.tenant_id == bindparam("of_tenant"),
        MESSAGE.c.conversation_id == bindparam("of"),
        MESSAGE.c.id == bindparam("of_id"),
    )
    .values(shown=bindparam("is_shown"))
)


class Store:
    """Conversations, messages, surveys and sources."""

    def __init__(self, database: Database) -> None:
        """Uses the service's own role."""
        self._database = database

    async def webhook_source(self, source_id: str) -> WebhookSource | None:
        """The source of an id, whoever's it is."""
        query = text("select tenant_id, vendor, account_id, secret from ingest.webhook_source(:id)")
        async with self._database.tenantless() as connection:
            row = (await connection.execute(query, {"id": source_id})).one_or_none()
        return None if row is None else WebhookSource(id=source_id, **row._mapping)

    async def add_source(self, source: WebhookSource) -> None:
        """Let a helpdesk in."""
        values = {
            "tenant_id": source.tenant_id,
            "id": source.id,
            "vendor": source.vendor,
            "account_id": source.account_id,
            "secret": source.secret,
        }
        async with self._database.transaction(source.tenant_id) as connection:
            await connection.execute(insert(SOURCE), values)

    async def sources(self, tenant_id: str) -> list[WebhookSource]:
        """A tenant's sources, oldest first."""
        query = select(SOURCE).order_by(SOURCE.c.created_at, SOURCE.c.id)
        async with self._database.transaction(tenant_id) as connection:
            rows = (await connection.execute(query)).all()
        return [
            WebhookSource(
                id=row.id,
                tenant_id=row.tenant_id,
                vendor=row.vendor,
                account_id=row.account_id,
                secret=row.secret,
            )
            for row in rows
        ]

    async def tenants(self) -> list[str]:
        """Everybody who has a source or a conversation."""
        async with self._database.tenantless() as connection:
            rows = await connection.execute(text("select tenant_id from ingest.tenants() as t(tenant_id)"))
            return sorted(rows.scalars())

    @asynccontextmanager
    async def folding(self, tenant_id: str) -> AsyncIterator["Folding"]:
        """One transaction that loads, and writes back, conversations of a tenant."""
        async with self._database.transaction(tenant_id) as connection:
            yield Folding(connection, tenant_id)

    async def mark_published(self, published: Sequence[Publishable], at: datetime) -> None:
        """Note that the broker has acknowledged these versions; all of one tenant."""
        if not published:
            return
        statement = (
            update(CONVERSATION)
            .where(
                CONVERSATION.c.tenant_id == bindparam("of_tenant"),
                CONVERSATION.c.id == bindparam("of_id"),
                CONVERSATION.c.published_version <= bindparam("told_version"),
            )
            .values(published_version=bindparam("told_version"), published_at=bindparam("told_at"))
        )
        # In the order in which everybody locks them.
        rows = [
            {"of_tenant": p.tenant_id, "of_id": p.conversation.id, "told_version": p.version, "told_at": at}
            for p in sorted(published, key=lambda p: p.conversation.id)
        ]
        async with self._database.transaction(published[0].tenant_id) as connection:
            await connection.execute(statement, rows)

    async def unscored(
        self, tenant_id: str, wanted: Unscored, *, size: int
    ) -> AsyncIterator[list[Publishable]]:
        """Chunks of at most `size` conversations whose present version has no score, oldest first."""
        since, after_id = wanted.since, ""
        while True:
            async with self._database.transaction(tenant_id) as connection:
                found = await connection.execute(
                    _UNSCORED,
                    {
                        "since": since,
                        "after_id": after_id,
                        "before": wanted.before,
                        "told_before": wanted.told_before,
                        "size": size,
                    },
                )
                rows = found.all()
            if rows:
                yield [
                    Publishable(tenant_id=tenant_id, conversation=_identity(row), version=row.version)
                    for row in rows
                ]
            if len(rows) < size:
                return
            since, after_id = rows[-1].received_at, rows[-1].id


class Folding:
    """The open transaction in which conversations of one tenant are folded."""

    def __init__(self, connection: AsyncConnection, tenant_id: str) -> None:
        """Made by `Store.folding`."""
        self._connection = connection
        self._tenant_id = tenant_id

    async def load(
        self, wanted: Mapping[str, Identity], received_at: datetime, *, with_texts: Collection[str]
    ) -> list[Known]:
        """The conversations, locked until the end; what is new comes empty with version 0.

        Only messages whose id is in `with_texts` come with their texts: others' may be many megabytes.
        Rows are made before they are locked, so that of two consumers one waits for the other.
        """
        rows = await self._lock(wanted)
        missing = [wanted[key] for key in sorted(wanted.keys() - rows.keys())]
        if missing:
            await self._create(missing, received_at)
            rows |= await self._lock([identity.id for identity in missing])
        messages = await self._messages([key for key, row in rows.items() if row.version > 0], with_texts)
        return [self._known(row, messages.get(key, [])) for key, row in rows.items()]

    async def save(self, changed: Sequence[ConversationRows]) -> None:
        """Write conversations, messages and surveys back."""
        if not changed:
            return
        conversations = [rows.conversation for rows in changed]
        names = [name for name in conversations[0] if name not in ("tenant_id", "id")]
        await self._connection.execute(
            update(CONVERSATION)
            .where(
                CONVERSATION.c.tenant_id == bindparam("of_tenant"), CONVERSATION.c.id == bindparam("of_id")
            )
            .values({name: bindparam(f"new_{name}") for name in names}),
            [
                {"of_tenant": row["tenant_id"], "of_id": row["id"]} | {f"new_{n}": row[n] for n in names}
                for row in conversations
            ],
        )
        messages = [message for rows in changed for message in rows.messages]
        if messages:
            statement = upsert(MESSAGE)
            replaced = {
                name: statement.excluded[name]
                for name in messages[0]
                if name not in ("tenant_id", "conversation_id", "id")
            }
            await self._connection.execute(
                statement.on_conflict_do_update(constraint=MESSAGE.primary_key, set_=replaced), messages
            )
        sights = [
            {"of_tenant": self._tenant_id, "of": rows.conversation["id"], "of_id": key, "is_shown": is_shown}
            for rows in changed
            for key, is_shown in rows.sights.items()
        ]
        if sights:
            await self._connection.execute(_SHOW, sights)
        await self._replace_surveys([rows for rows in changed if rows.surveys is not None])

    async def _replace_surveys(self, changed: Sequence[ConversationRows]) -> None:
        if not changed:
            return
        ids = [rows.conversation["id"] for rows in changed]
        await self._connection.execute(
            delete(SURVEY).where(SURVEY.c.tenant_id == self._tenant_id, SURVEY.c.conversation_id == _any(ids))
        )
        surveys = [survey for rows in changed for survey in rows.surveys or ()]
        if surveys:
            await self._connection.execute(insert(SURVEY), surveys)

    async def _lock(self, ids: Iterable[str]) -> dict[str, Any]:
        query = (
            select(CONVERSATION)
            .where(CONVERSATION.c.tenant_id == self._tenant_id, CONVERSATION.c.id == _any(ids))
            .order_by(CONVERSATION.c.id)
            .with_for_update()
        )
        return {row.id: row for row in await self._connection.execute(query)}

    async def _create(self, missing: Sequence[Identity], received_at: datetime) -> None:
        await self._connection.execute(
            upsert(CONVERSATION).on_conflict_do_nothing(constraint=CONVERSATION.primary_key),
            [
                {
                    "tenant_id": self._tenant_id,
                    "id": identity.id,
                    "source": identity.source,
                    "account_id": identity.account_id,
                    "external_id": identity.external_id,
                    "status": "open",
                    "tags": [],
                    "opened_at": received_at,
                    "reopen_count": 0,
                    "message_count": 0,
                    "state": EMPTY.to_json(),
                    "version": 0,
                    "published_version": 0,
                    "received_at": received_at,
                }
                for identity in missing
            ],
        )

    async def _messages(self, ids: Sequence[str], with_texts: Collection[str]) -> dict[str, list[Any]]:
        if not ids:
            return {}
        # What an earlier release stored has no mark and cannot do without its text.
        is_read = or_(
            MESSAGE.c.id == any_(literal(list(with_texts), ARRAY(Text))), ~MESSAGE.c.registers.has_key("mark")
        )
        query = select(
            MESSAGE.c.conversation_id,
            MESSAGE.c.id,
            is_read.label("is_read"),
            case((is_read, MESSAGE.c.text)).label("text"),
            case((is_read, MESSAGE.c.quoted_text)).label("quoted_text"),
            MESSAGE.c.language,
            MESSAGE.c.shown,
            MESSAGE.c.registers,
        ).where(MESSAGE.c.tenant_id == self._tenant_id, MESSAGE.c.conversation_id == _any(ids))
        found: dict[str, list[Any]] = {}
        for row in await self._connection.execute(query):
            found.setdefault(row.conversation_id, []).append(row)
        return found

    def _known(self, row: Any, messages: Sequence[Any]) -> Known:
        states: dict[str, MessageState] = {message.id: known_message(message) for message in messages}
        return Known(
            identity=_identity(row),
            version=row.version,
            published_version=row.published_version,
            received_at=row.received_at,
            state=State.from_json(row.state),
            messages=states,
            languages={message.id: message.language for message in messages},
            shown=frozenset(message.id for message in messages if message.shown),
        )


def _any(ids: Iterable[str]) -> Any:
    return any_(bindparam("ids", list(ids), ARRAY(Text)))


def _identity(row: Any) -> Identity:
    return Identity(id=row.id, source=row.source, account_id=row.account_id, external_id=row.external_id)
