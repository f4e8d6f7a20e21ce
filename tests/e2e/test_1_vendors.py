"""Every helpdesk's webhooks in, scores and flags out."""

import asyncio
from datetime import UTC, datetime
from typing import Final

import pytest

from deploy.local.feed.payloads import VENDORS, render, signed
from tests.e2e.samples import SAMPLED, samples
from tests.e2e.system import Json, System, Tenant, bearer
from tests.e2e.talk import THREAT, tell
from tests.e2e.waiting import eventually

EXPECTED: Final[dict[str, tuple[str, str, list[str], list[float]]]] = {
    "zendesk": ("5158", "solved", ["customer", "agent"], [5]),
    "zammad": ("1081", "closed", ["customer", "agent", "note"], []),
    "chatwoot": ("1204", "solved", ["customer", "agent", "system"], [4]),
    "intercom": ("215470001234567", "closed", ["customer", "agent", "note"], [5]),
    # Freshdesk tells no times: what comes last holds.
    "freshdesk": ("40215", "open", ["customer", "note"], []),
}
"""Id at the helpdesk, status, roles and CSAT that a vendor's samples end in."""


@pytest.mark.parametrize("vendor", SAMPLED)
async def test_the_samples_of_a_vendor_become_a_rated_conversation(
    system: System, vendors_tenant: Tenant, vendor: str
) -> None:
    """Bodies as the vendor documents them, sent twice, end as one conversation of the sender's tenant."""
    key = vendors_tenant.viewer_key
    for sample in [*samples(vendor), *samples(vendor)]:
        answer = await post(system, vendors_tenant, vendor, sample.body, sample.delivery())
        assert answer in (200, 202), sample.name
    if vendor == "helpscout":  # its last sample deletes the conversation
        await eventually(lambda: assert_deleted(system, key))
        return
    external_id, status, roles, csat = EXPECTED[vendor]

    async def check() -> None:
        found = await system.conversation(vendor, external_id, key=key)
        assert found["status"] == status
        assert sorted(message["role"] for message in found["messages"]) == sorted(roles)
        assert [survey["score"] for survey in found["surveys"]] == csat
        assert found["review"] == ("provisional" if status == "open" else "final")
        assert found["ratings"]
        assert all(message["sentiment"] for message in found["messages"] if message["role"] == "customer")

    await eventually(check)


async def assert_deleted(system: System, key: str) -> None:
    """The conversation was folded, is deleted, keeps no text and counts nowhere."""
    connection = await system.database()
    try:
        stored = await connection.fetch(
            "select c.status, m.text from ingest.conversation_v1 c"
            " join ingest.message_v1 m on m.tenant_id = c.tenant_id and m.conversation_id = c.id"
            " where c.tenant_id = 'vendors' and c.external_id = '2791044512'"
        )
    finally:
        await connection.close()
    assert [(row["status"], row["text"]) for row in stored] == [("deleted", "")] * 2
    (row,) = (await system.read("/v1/kpis", key=key, metrics="volume", source="helpscout"))["rows"] or [{}]
    assert row.get("volume", {"n": 0})["n"] == 0
    for item in (await system.read("/v1/conversations", key=key, source="helpscout"))["items"]:
        assert item["status"] == "deleted"
        found = await system.read(f"/v1/conversations/{item['id']}", key=key)
        assert found["flags"] == []


@pytest.mark.parametrize("vendor", SAMPLED)
async def test_a_wrong_signature_is_refused(system: System, vendors_tenant: Tenant, vendor: str) -> None:
    """What does not prove itself gets 401, whatever else it says."""
    sample = samples(vendor)[0]
    altered = sample.body.replace(b"{", b"{ ", 1)
    unproven = {"Content-Type": "application/json"}
    refused = [(sample.body, unproven)]
    if vendor != "freshdesk":  # it signs nothing
        refused.append((altered, sample.delivery()))
    refused += [(one.body, {**sample.headers, **one.headers}) for one in samples(vendor, "negative")]
    for body, headers in refused:
        assert await post(system, vendors_tenant, vendor, body, headers) == 401
    foreign = sample.signed(sample.body)
    assert await post(system, system.demo, vendor, sample.body, foreign) == 401, "another tenant's secret"


@pytest.mark.parametrize("vendor", VENDORS)
async def test_a_threat_is_flagged_by_rest_and_told_on_the_stream(system: System, vendor: str) -> None:
    """A customer's threat through this vendor's webhooks is seen as `legal`, with the words that prove it."""
    told = tell(vendor, THREAT, language="en")
    async with system.listening() as heard:
        await system.send(told)
        found = await system.complete(told)
        (flag,) = [flag for flag in found["flags"] if flag["kind"] == "legal"]
        threatened = next(message for message in found["messages"] if told.marks[0] in message["text"])
        for evidence in flag["evidence"]:
            assert evidence["message_id"] == threatened["id"]
            assert evidence["quote"] == threatened["text"][evidence["start"] : evidence["end"]]
        assert found["id"] in [
            item["conversation_id"] for item in await system.read_all("/v1/flags", kind="legal")
        ]

        async def told_of() -> None:
            mine = [(name, data) for name, data in heard if data["conversation_id"] == found["id"]]
            assert ("flag.raised", "legal") in [(name, data.get("kind")) for name, data in mine]
            assert ("review.scored", "final") in [(name, data.get("state")) for name, data in mine]

        await eventually(told_of)


async def test_a_foreign_tenant_sees_nothing(system: System, vendors_tenant: Tenant) -> None:
    """Neither by list, nor by id, nor on the stream; a made-up key opens nothing."""
    told = tell("zendesk", THREAT, language="en")
    async with system.listening(key=vendors_tenant.viewer_key) as heard:
        await system.send(told)
        found = await system.complete(told)
        path = f"{system.url('metrics')}/v1/conversations/{found['id']}"
        theirs = bearer(vendors_tenant.viewer_key)
        assert (await system.client.get(path, headers=theirs)).status_code == 404
        page: Json = await system.read(
            "/v1/conversations", key=vendors_tenant.viewer_key, external_id=told.external_id
        )
        assert page["items"] == []
        flags = await system.read_all("/v1/flags", key=vendors_tenant.viewer_key, state="any")
        assert found["id"] not in [flag["conversation_id"] for flag in flags]
        assert [data for _, data in heard if data["conversation_id"] == found["id"]] == []
    assert (await system.client.get(path)).status_code == 401
    assert (await system.client.get(path, headers=bearer("made up"))).status_code == 401


async def test_a_webhook_to_an_unknown_source_is_not_found(system: System) -> None:
    """A made-up address tells nothing more than that."""
    (webhook, *_) = render("zammad", tell("zammad", THREAT).story)
    headers = signed("zammad", webhook, secret="guessed", now=datetime.now(UTC))
    answers = await asyncio.gather(
        *(
            system.client.post(f"/v1/webhooks/{name}", content=webhook.body, headers=headers)
            for name in ("src_unknown", "%00", "x" * 300)
        )
    )
    assert {answer.status_code for answer in answers} == {404}


async def post(system: System, tenant: Tenant, vendor: str, body: bytes, headers: dict[str, str]) -> int:
    """The status that a delivery is answered with."""
    path = f"/v1/webhooks/{tenant.sources[vendor].id}"
    return (await system.client.post(path, content=body, headers=headers)).status_code
