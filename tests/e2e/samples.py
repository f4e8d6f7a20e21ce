"""The vendors' samples as deliveries of today: signatures that hold the time are made anew."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from deploy.local.feed.payloads import Webhook, signed

SAMPLED: Final = ("zendesk", "zammad", "chatwoot", "intercom", "freshdesk", "helpscout")
_FOLDER: Final = Path(__file__).parents[1] / "samples"
_SIGNS_TIME: Final = frozenset({"zendesk", "chatwoot"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One body with the headers of its delivery."""

    vendor: str
    name: str
    body: bytes
    headers: dict[str, str]

    def delivery(self) -> dict[str, str]:
        """Headers to send now: the vendor's own signature where it never grows old."""
        if self.vendor not in _SIGNS_TIME:
            return self.headers
        return self.signed(self.body)

    def signed(self, body: bytes) -> dict[str, str]:
        """Headers that prove `body`."""
        webhook = Webhook(at=datetime.now(UTC), body=body, headers=self.headers)
        return signed(self.vendor, webhook, secret=secret_of(self.vendor), now=webhook.at)


def _signatures(vendor: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((_FOLDER / vendor / "signature.json").read_bytes())
    return found


def secret_of(vendor: str) -> str:
    """What the samples are signed with; there are none of the generic source."""
    if vendor == "generic":
        return "a-secret-of-ours"
    secret = _signatures(vendor)["secret"]
    return str(secret["token"] if isinstance(secret, dict) else secret)


def samples(vendor: str, kind: str = "vectors") -> list[Sample]:
    """In the order of what happened; `kind` "negative" gives those whose signature does not fit."""
    return [
        Sample(
            vendor=vendor,
            name=vector["body_file"].removesuffix(".json"),
            body=(_FOLDER / vendor / vector["body_file"]).read_bytes(),
            headers=vector["headers"],
        )
        for vector in _signatures(vendor).get(kind, [])
    ]
