"""The vendors' samples: ours, which ship here, and the contracts' own where they are at hand."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from shared.contracts.instants import parse_instant
from shared.contracts.plain_json import decode_json

OURS = Path(__file__).parents[2] / "samples"
CONTRACTS = Path(__file__).parents[4] / "shared" / "contracts" / "samples"
VENDORS = ("zendesk", "zammad", "chatwoot", "intercom", "freshdesk", "helpscout")
ANY_TIME = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """A delivery as the vendor sends it."""

    vendor: str
    name: str
    body: bytes
    headers: dict[str, str]
    secrets: tuple[str, ...]
    now: datetime

    @property
    def payload(self) -> object:
        """The decoded body."""
        return decode_json(self.body)


def _signatures(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "signature.json").read_bytes())
    return found


def _signed(folder: Path, vector: dict[str, Any], secret: Any) -> Signed:
    headers = {name.lower(): value for name, value in vector["headers"].items()}
    stamps = [value for name, value in headers.items() if name.endswith("timestamp")]
    stamp = vector.get("timestamp") or (stamps[0] if stamps else None)
    return Signed(
        vendor=folder.name,
        name=vector["body_file"],
        body=(folder / vector["body_file"]).read_bytes(),
        headers=headers,
        secrets=(secret,) if isinstance(secret, str) else (secret["basic"], secret["token"]),
        now=ANY_TIME if stamp is None else parse_instant(stamp),
    )


def _all(kind: str, root: Path) -> Iterator[Signed]:
    for vendor in VENDORS:
        found = _signatures(root / vendor)
        yield from (_signed(root / vendor, vector, found["secret"]) for vector in found.get(kind, []))


def vectors() -> list[Signed]:
    """Every delivery whose signature fits."""
    return list(_all("vectors", OURS))


def negatives() -> list[Signed]:
    """Every delivery whose signature does not fit."""
    return list(_all("negative", OURS))


def one(vendor: str, name: str) -> Signed:
    """The delivery of one body."""
    return next(signed for signed in vectors() if (signed.vendor, signed.name) == (vendor, f"{name}.json"))


def expected() -> list[tuple[Signed, dict[str, Any]]]:
    """Deliveries whose canonical event is written down."""
    return [
        (signed, json.loads(path.read_bytes())["expected"])
        for signed in vectors()
        if (path := OURS / signed.vendor / signed.name.replace(".json", ".expected.json")).exists()
    ]


def contract_files() -> list[Path]:
    """The contracts' own samples, beside the repository; the test is skipped where they are missing."""
    if not CONTRACTS.is_dir():
        pytest.skip(f"the contracts' samples are not beside the repository ({CONTRACTS})")
    return sorted(path for vendor in VENDORS for path in (CONTRACTS / vendor).iterdir())


def assert_subset(wanted: object, found: object, path: str = "") -> None:
    """Everything wanted is there; lists have the same length."""
    if isinstance(wanted, dict) and isinstance(found, dict):
        for name, value in wanted.items():
            assert name in found, f"{path}.{name} is missing"
            assert_subset(value, found[name], f"{path}.{name}")
    elif isinstance(wanted, list) and isinstance(found, list):
        assert len(wanted) == len(found), path
        for place, value in enumerate(wanted):
            assert_subset(value, found[place], f"{path}[{place}]")
    else:
        assert wanted == found, path
