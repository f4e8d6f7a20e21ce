"""The helpdesks that we understand, by their names on the command line and in the database."""

from collections.abc import Mapping

from services.ingest.sources.base import Disposition, Glance, Headers, Source
from services.ingest.sources.chatwoot import Chatwoot
from services.ingest.sources.freshdesk import Freshdesk
from services.ingest.sources.generic import Generic
from services.ingest.sources.helpscout import Helpscout
from services.ingest.sources.intercom import Intercom
from services.ingest.sources.zammad import Zammad
from services.ingest.sources.zendesk import Zendesk

__all__ = ["SOURCES", "Disposition", "Glance", "Headers", "Source"]

_ALL: tuple[Source, ...] = (
    Zendesk(),
    Zammad(),
    Chatwoot(),
    Intercom(),
    Freshdesk(),
    Helpscout(),
    Generic(),
)

SOURCES: Mapping[str, Source] = {source.name: source for source in _ALL}
