"""A company's own category: made over HTTP, seen in a live conversation, and by replay in a past one."""

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.e2e.system import Json, System
from tests.e2e.talk import Said, tell
from tests.e2e.waiting import eventually

POSITIVE = [
    "Als kleine Entschuldigung schreibe ich Ihnen 10 Euro gut.",
    "Wir schenken Ihnen einen Gutschein über 15 Euro für den nächsten Einkauf.",
    "Ich habe Ihnen wegen der Umstände einen Rabatt von 20 % eingerichtet.",
    "Zum Ausgleich erlassen wir Ihnen die nächste Monatsgebühr.",
    "As an apology we have added a $10 credit to your account.",
    "Please accept a voucher for 5 pounds for the trouble.",
    "We will waive next month's fee to make up for it.",
    "To say sorry, here is a 20 % discount code for your next order.",
]
NEGATIVE = [
    "Ihr Paket kommt morgen zwischen 9 und 12 Uhr.",
    "Bitte starten Sie das Gerät neu und versuchen Sie es noch einmal.",
    "Wie lautet bitte Ihre Kundennummer?",
    "Das tut mir leid, ich kümmere mich sofort darum.",
    "Your order has been shipped and will arrive on Tuesday.",
    "I have forwarded your request to our technicians.",
    "The invoice is attached to this message.",
    "I am sorry about the delay, we are looking into it.",
]
GOODWILL: tuple[Said, ...] = (
    ("customer", "Hello, my lamp {mark} came two weeks late."),
    (
        "agent",
        "Hello, that should not have happened. As an apology I have added a voucher of 15 euros {mark} to "
        "your account. Kind regards",
    ),
)


async def call(system: System, method: str, path: str, body: Any = None, *, role: str = "qa_lead") -> Json:
    answer = await system.client.request(
        method, f"{system.url('metrics')}{path}", json=body, headers=system.key(role), timeout=60
    )
    assert answer.status_code < 300, f"{path}: {answer.status_code} {answer.text}"
    found: Json = answer.json() if answer.content else {}
    return {**found, "status_code": answer.status_code}


async def rating(system: System, vendor: str, external_id: str, category: str) -> Json:
    found = await system.conversation(vendor, external_id)
    (one,) = [rating for rating in found["ratings"] if rating["category"] == category]
    return {**one, "scorecard": found["scorecard"]}


async def test_a_category_is_made_seen_live_replayed_and_counted(system: System) -> None:
    """From eight examples each way to the pass rate."""
    past = tell("freshdesk", GOODWILL, language="en", tag="goodwill")
    await system.send(past)
    before = await system.complete(past)
    examples = [
        {"text": text, "positive": texts is POSITIVE} for texts in (POSITIVE, NEGATIVE) for text in texts
    ]
    body = {"name": "Goodwill", "role": "agent", "examples": examples, "in_scorecard": True, "weight": 2}
    made = await call(system, "POST", "/v1/categories", body)
    assert made["status_code"] in (201, 202)

    async def is_trained() -> Json:
        found = await call(system, "GET", f"/v1/categories/{made['id']}", role="viewer")
        assert found["state"] == "trained"
        return found

    category = await eventually(is_trained)
    assert category["n"] == 16
    assert category["precision"] > 0.5
    assert category["recall"] > 0.5

    live = tell("chatwoot", GOODWILL, language="en", tag="goodwill")
    await system.send(live)
    await system.complete(live)
    found = await eventually(lambda: rating(system, "chatwoot", live.external_id, category["id"]))
    assert found["outcome"] == "passed"
    assert "voucher" in found["evidence"][0]["quote"]
    assert found["scorecard"]["id"] == "default"
    assert found["scorecard"]["version"] > 1

    still = await system.conversation("freshdesk", past.external_id)
    assert still["ratings"] == before["ratings"]
    today = datetime.now(UTC).date()
    span = {"from": str(today - timedelta(days=2)), "to": str(today + timedelta(days=1))}
    answer = await call(system, "POST", f"/v1/categories/{category['id']}/replay", span)
    assert answer["status_code"] == 202

    async def is_done() -> None:
        detail = await call(system, "GET", f"/v1/categories/{category['id']}", role="viewer")
        (replay,) = detail["replays"]
        assert (replay["state"], replay["done"]) == ("done", replay["total"])

    await eventually(is_done)
    again = await eventually(lambda: rating(system, "freshdesk", past.external_id, category["id"]))
    assert again["outcome"] == "passed"
    connection = await system.database()
    try:
        rounds = await connection.fetch(
            "select round, is_current, conversation_version from autoqa.review where conversation_id = $1"
            " order by round",
            before["id"],
        )
    finally:
        await connection.close()
    assert rounds[-1]["is_current"]
    assert rounds[-1]["round"] == rounds[-2]["round"] + 1
    assert rounds[-1]["conversation_version"] == rounds[-2]["conversation_version"]

    async def is_counted() -> None:
        name = f"pass_rate.{category['id']}"
        (row,) = (await system.read("/v1/kpis", metrics=name, tag="goodwill"))["rows"]
        assert row[name] == {"value": 100.0, "n": 2}

    await eventually(is_counted)
    await call(system, "DELETE", f"/v1/categories/{category['id']}")
    await system.assert_nothing_doubled()
