"""A conversation's life: surveys, solved, reopened; flags that people decide on; figures that follow."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from deploy.local.feed.payloads import Webhook, render
from shared.contracts.topics import CONVERSATIONS_SCORED
from tests.e2e.system import Json, System
from tests.e2e.talk import CALM_DE, CALM_EN, THREAT, new_mark, tell
from tests.e2e.topics import records
from tests.e2e.waiting import eventually

METRICS = "volume,aqs,csat,coverage,solved_rate"


async def figures(system: System, **filters: str) -> dict[str, Any]:
    """The KPIs; every figure empty where there is no row."""
    rows = (await system.read("/v1/kpis", metrics=METRICS, **filters))["rows"]
    return rows[0] if rows else {name: {"value": None, "n": 0} for name in METRICS.split(",")}


async def test_a_survey_joins_its_conversation_and_the_figures(system: System) -> None:
    """The customer's answer with its comment is read with the conversation, and csat counts it at once."""
    told = tell("intercom", CALM_DE, csat=4, tag="survey")
    await system.send(told)
    found = await system.complete(told)

    async def joined() -> None:
        (survey,) = (await system.conversation("intercom", told.external_id))["surveys"]
        assert (survey["kind"], survey["score"]) == ("csat", 4)
        assert told.story.survey is not None
        assert survey["comment"] == told.story.survey.comment
        row = await figures(system, tag="survey")
        assert row["csat"] == {"value": 100.0, "n": 1}

    await eventually(joined)
    assert found["predicted_csat"] is not None
    assert found["resolved"]["label"] in ("yes", "no", "unclear")


async def test_solving_makes_the_review_final_and_reopening_begins_another(system: System) -> None:
    """Rounds: provisional, final; after the customer came back a provisional one, the first is kept."""
    told = tell("generic", CALM_EN, language="en", tag="rounds")
    opened = render("generic", replace(told.story, solved_at=None))
    solving = render("generic", told.story)[-1]
    sender, source = system.sender(), system.demo.sources["generic"]
    assert await sender.tell(source, opened, pause=0)

    async def is_in_state(state: str) -> Json:
        found = await system.conversation("generic", told.external_id)
        assert found["review"] == state
        return found

    first = await eventually(lambda: is_in_state("provisional"))
    assert first["solved_at"] is None
    assert await sender.tell(source, [solving], pause=0)
    final = await eventually(lambda: is_in_state("final"))
    assert final["status"] == "solved"
    assert (await figures(system, tag="rounds"))["solved_rate"]["value"] == 100.0
    assert await sender.tell(source, [reopening(solving)], pause=0)
    again = await eventually(lambda: is_in_state("provisional"))
    assert len(again["messages"]) == len(told.marks) + 1
    assert (await figures(system, tag="rounds"))["solved_rate"]["value"] == 0.0

    async def told_rounds() -> None:
        scored = [
            orjson.loads(record.value or b"{}")
            for record in await records(system.stack.env["KAFKA_BOOTSTRAP"], CONVERSATIONS_SCORED)
        ]
        mine = [(one["round"], one["state"]) for one in scored if one["conversation_id"] == first["id"]]
        assert list(dict.fromkeys(mine)) == [(1, "provisional"), (1, "final"), (2, "provisional")]

    await eventually(told_rounds)
    await system.assert_nothing_doubled()


def reopening(solving: Webhook) -> Webhook:
    """The customer's next message, a minute later."""
    at = datetime.now(UTC) + timedelta(seconds=1)
    body = orjson.loads(solving.body)
    conversation = {**body["conversation"], "status": "open", "updated_at": at.isoformat()}
    del conversation["solved_at"]
    text = f"Hello again, the switch of {new_mark()} broke once more. Can you help me?"
    message = {"id": "again-1", "role": "customer", "at": at.isoformat(), "text": text}
    event = {
        **body,
        "event": "message.added",
        "delivery_id": f"again-{conversation['id']}",
        "occurred_at": at.isoformat(),
        "conversation": conversation,
        "messages": [message],
    }
    return replace(solving, at=at, body=orjson.dumps(event))


async def test_a_person_decides_on_a_flag(system: System) -> None:
    """Acknowledged it leaves the open queue and stays so when the conversation is judged again."""
    told = tell("zammad", THREAT, language="en", is_solved=False)
    await system.send(told)
    found = await system.complete(told)
    (flag,) = [flag for flag in found["flags"] if flag["kind"] == "legal"]
    url = f"{system.url('metrics')}/v1/flags/{flag['id']}"
    decision = {"state": "acknowledged"}
    assert (await system.client.patch(url, json=decision, headers=system.key("viewer"))).status_code == 403
    answer = await system.client.patch(url, json=decision, headers=system.key("qa_lead"))
    assert (answer.status_code, answer.json()["state"]) == (200, "acknowledged")
    solved = replace(told, story=replace(told.story, solved_at=datetime.now(UTC)))
    await system.sender().tell(system.demo.sources["zammad"], render("zammad", solved.story)[-1:], pause=0)
    after = await system.complete(solved)
    assert [one["state"] for one in after["flags"] if one["id"] == flag["id"]] == ["acknowledged"]
    assert flag["id"] not in [item["id"] for item in await system.read_all("/v1/flags")]
    states = await system.read_all("/v1/flags", state="acknowledged")
    assert flag["id"] in [item["id"] for item in states]


async def test_figures_follow_at_once(system: System) -> None:
    """What the list shows is what the KPIs count: volume, scores and answers of three conversations."""
    told = [
        tell("chatwoot", CALM_DE, csat=5, tag="figures"),
        tell("freshdesk", CALM_EN, language="en", csat=1, tag="figures"),
        tell("helpscout", THREAT, language="en", is_solved=False, tag="figures"),
    ]
    before = await system.volume()
    await system.send(*told)
    found = [await system.complete(one) for one in told]
    scores = [one["score"] for one in found if one["score"] is not None]

    async def counted() -> None:
        row = await figures(system, tag="figures")
        assert row["volume"]["n"] == 3
        assert row["csat"] == {"value": 50.0, "n": 2}
        assert row["aqs"]["n"] == len(scores)
        assert abs(row["aqs"]["value"] - sum(scores) / len(scores)) < 0.01
        assert row["coverage"]["value"] == 100.0
        assert await system.volume() == before + 3

    await eventually(counted)
    await system.assert_nothing_doubled()
