"""Custom categories over HTTP: made, trained by news from autoqa, changed, replayed, counted."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import httpx
import orjson
import pytest
from sqlalchemy import select

from deploy.topics import TopicSettings, create, wanted
from services.metrics.categories.handlers import Categories
from services.metrics.categories.relay import Relay
from services.metrics.categories.store import CategoryStore
from services.metrics.categories.trained import on_trained
from services.metrics.categories.views import CategoryIn
from services.metrics.kpis.recount import recount, recounts
from services.metrics.tables import CATEGORY_ROLLUP
from shared.broker.consume import Batching, ConsumeLoop
from shared.broker.kafka import Producer
from shared.broker.record import Outgoing, Record
from shared.contracts import topics
from shared.contracts.v1.category_trained import CategoryTrained, TrainingState, TrainingWarning
from shared.errors import Transient
from shared.http.auth import KeyRole
from shared.settings import KafkaSettings
from tests.integration.metrics.conftest import NOW, Metrics
from tests.integration.metrics.world import OPENED, World, a_rating

EXAMPLES = [{"text": f"Geheimnis {n}", "positive": n < 4} for n in range(8)]
CATEGORY = {"name": "Voucher", "description": "Is one offered?", "role": "agent", "examples": EXAMPLES}


async def made(metrics: Metrics, headers: dict[str, str], **other: Any) -> dict[str, Any]:
    """A new category, not trained yet."""
    response = await metrics.client.post("/v1/categories", json={**CATEGORY, **other}, headers=headers)
    assert response.status_code == 202, response.text
    found: dict[str, Any] = response.json()
    assert response.headers["location"] == f"/v1/categories/{found['id']}"
    return found


async def read(metrics: Metrics, headers: dict[str, str], category_id: str) -> dict[str, Any]:
    response = await metrics.client.get(f"/v1/categories/{category_id}", headers=headers)
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    return found


async def hear(metrics: Metrics, category: dict[str, Any], tenant_id: str = "a", **other: Any) -> None:
    """As if autoqa had trained the category's newest version."""
    values = {
        "tenant_id": tenant_id,
        "category_id": category["id"],
        "version": category["version"],
        "state": TrainingState.TRAINED,
        "model_revision": "m1",
        "precision": 0.9,
        "recall": 0.8,
        "positives": 4,
        "negatives": 4,
        "warnings": [TrainingWarning.FEW_EXAMPLES],
        "trained_at": NOW,
    }
    told = CategoryTrained.model_validate({**values, **other})
    await on_trained([told, told], store=CategoryStore(metrics.database), clock=metrics.clock)


async def scorecards(world: World) -> list[tuple[int, list[dict[str, Any]]]]:
    rows = await world.connection.fetch("select version, categories from metrics.scorecard order by 1")
    return [(row["version"], orjson.loads(row["categories"])) for row in rows]


async def outbox(world: World) -> list[tuple[str, dict[str, Any]]]:
    rows = await world.connection.fetch("select topic, payload from metrics.category_outbox order by id")
    return [(row["topic"], orjson.loads(row["payload"])) for row in rows]


async def test_a_category_is_training_until_autoqa_tells_how_good_it_is(
    metrics: Metrics, world: World
) -> None:
    """Then with precision, recall and a sentence where they should not be trusted."""
    headers = await metrics.key()
    category = await made(metrics, headers)
    assert (category["state"], category["n"], category["precision"]) == ("training", 8, None)
    assert category["examples"][0] == {"text": "Geheimnis 0", "context": [], "positive": True}
    ((topic, payload),) = await outbox(world)
    assert topic == topics.CATEGORIES_CHANGED
    assert payload == {"tenant_id": "a", "category_id": category["id"], "version": 1}
    await hear(metrics, category)
    after = await read(metrics, headers, category["id"])
    assert (after["state"], after["active_version"]) == ("trained", 1)
    assert (after["precision"], after["recall"], after["f1"]) == (0.9, 0.8, 0.8471)
    assert "fewer than 10" in after["warning"]


async def test_post_waits_for_the_training(metrics: Metrics) -> None:
    """201 as soon as it is there, without holding up anybody else."""
    headers = await metrics.key()
    patient = Categories(
        store=CategoryStore(metrics.database),
        relay=metrics.service.relay,
        clock=metrics.clock,
        wait_seconds=20,
    )
    wanted_one = CategoryIn.model_validate(CATEGORY)
    waiting = asyncio.create_task(patient.create("a", wanted_one, key_id="key_1"))
    found: list[dict[str, Any]] = []
    async with asyncio.timeout(10):
        while not found:
            found = (await metrics.client.get("/v1/categories", headers=headers)).json()["items"]
    assert not waiting.done()
    await hear(metrics, found[0])
    assert (await waiting).state == "trained"


@pytest.mark.parametrize(
    "change",
    [
        {"examples": EXAMPLES[:7]},
        {"examples": [{**one, "positive": n < 3} for n, one in enumerate(EXAMPLES)]},
        {"examples": [*EXAMPLES, EXAMPLES[0]]},
        {"examples": [*EXAMPLES, {**EXAMPLES[0], "positive": False}]},
        {"examples": [*EXAMPLES, {"text": "  ", "positive": False}]},
        {"examples": [*EXAMPLES, {"text": "Geheimnis" * 1000, "positive": False}]},
        {"examples": [*EXAMPLES, {"text": "Geheimnis \x00", "positive": False}]},
        {"examples": [{"text": f"Geheimnis {n}", "positive": n < 4} for n in range(51)]},
        {"examples": "Geheimnis"},
        {"role": "bot"},
        {"name": " "},
        {"weight": 0},
        {"weight": -1},
        {"Geheimnis": 1},
    ],
    ids=str,
)
async def test_what_cannot_be_learned_is_refused(
    metrics: Metrics, world: World, change: dict[str, Any]
) -> None:
    """422 that tells what is wrong, without any example's words; nothing is stored."""
    response = await metrics.client.post(
        "/v1/categories", json={**CATEGORY, **change}, headers=await metrics.key()
    )
    assert response.status_code == 422, response.text
    assert response.headers["content-type"] == "application/problem+json"
    assert "Geheimnis 0" not in response.text
    assert await world.connection.fetch("select from metrics.category") == []


async def test_broken_text_is_refused_too(metrics: Metrics) -> None:
    """A lone surrogate cannot be stored."""
    body = orjson.dumps(CATEGORY).replace(b"Geheimnis 0", b"\\ud800")
    headers = {**await metrics.key(), "content-type": "application/json"}
    response = await metrics.client.post("/v1/categories", content=body, headers=headers)
    assert response.status_code == 422


async def test_context_may_be_a_text_or_turns(metrics: Metrics) -> None:
    """A plain text is what the other side said last."""
    turns = [{"role": "agent", "text": "Hi"}, {"role": "customer", "text": "Yes"}]
    examples = [{**EXAMPLES[0], "context": "Why?"}, {**EXAMPLES[1], "context": turns}, *EXAMPLES[2:]]
    category = await made(metrics, await metrics.key(), examples=examples)
    contexts = [example["context"] for example in category["examples"]]
    assert contexts[:3] == [[{"role": "customer", "text": "Why?"}], turns, []]


async def test_new_examples_make_a_new_version(metrics: Metrics, world: World) -> None:
    """The old head stays active meanwhile, with its examples; the same examples again change nothing."""
    headers = await metrics.key()
    category = await made(metrics, headers)
    await hear(metrics, category)
    url = f"/v1/categories/{category['id']}"
    same = await metrics.client.patch(url, json={"examples": EXAMPLES}, headers=headers)
    assert (same.status_code, same.json()["version"]) == (200, 1)
    more = [*EXAMPLES, {"text": "another", "positive": True}]
    response = await metrics.client.patch(url, json={"examples": more}, headers=headers)
    assert response.status_code == 202
    changed = response.json()
    assert (changed["version"], changed["active_version"], changed["state"]) == (2, 1, "training")
    assert (changed["n"], len(changed["examples"])) == (9, 9)
    count = "select count(*) from metrics.category_example"
    assert await world.connection.fetchval(count) == 17
    await hear(metrics, changed, precision=0.6, warnings=[TrainingWarning.LOW_PRECISION])
    after = await read(metrics, headers, category["id"])
    assert (after["state"], after["precision"]) == ("trained", 0.6)
    assert "negative examples" in after["warning"]
    assert await world.connection.fetchval(count) == 9


async def test_each_change_of_what_weighs_is_a_version_of_the_scorecard(
    metrics: Metrics, world: World
) -> None:
    """And nothing else is: names and categories outside of it do not count."""
    headers = await metrics.key()
    category = await made(metrics, headers, in_scorecard=True, weight=2)
    assert await scorecards(world) == []
    await hear(metrics, category)
    entry = {"id": category["id"], "version": 1, "weight": 2.0, "critical": False}
    assert await scorecards(world) == [(2, [entry])]
    url = f"/v1/categories/{category['id']}"
    for patch in ({"name": "Other"}, {"weight": 3}, {"critical": True}, {"enabled": False}, {"name": "X"}):
        assert (await metrics.client.patch(url, json=patch, headers=headers)).status_code == 200
    assert await scorecards(world) == [
        (2, [entry]),
        (3, [{**entry, "weight": 3.0}]),
        (4, [{**entry, "weight": 3.0, "critical": True}]),
        (5, []),
    ]
    await metrics.client.patch(url, json={"enabled": True}, headers=headers)
    assert (await metrics.client.delete(url, headers=headers)).status_code == 204
    assert [version for version, _ in await scorecards(world)] == [2, 3, 4, 5, 6, 7]


async def test_a_deleted_category_is_gone_with_its_examples(metrics: Metrics, world: World) -> None:
    """And autoqa is told, so that its head goes; late news of it change nothing."""
    headers = await metrics.key()
    category = await made(metrics, headers)
    url = f"/v1/categories/{category['id']}"
    assert (await metrics.client.delete(url, headers=headers)).status_code == 204
    assert (await metrics.client.delete(url, headers=headers)).status_code == 404
    assert (await metrics.client.get(url, headers=headers)).status_code == 404
    assert await world.connection.fetch("select from metrics.category_example") == []
    assert len(await outbox(world)) == 2
    await hear(metrics, category)
    assert (await metrics.client.get(url, headers=headers)).status_code == 404


async def test_lists_come_page_by_page_and_answers_have_tags(metrics: Metrics) -> None:
    """Newest first, without examples; 304 where nothing changed."""
    headers = await metrics.key()
    names = []
    for number in range(3):
        metrics.clock.advance(timedelta(minutes=1))
        names.append((await made(metrics, headers, name=f"n{number}"))["name"])
    seen: list[str] = []
    query: dict[str, Any] = {"limit": 2}
    while True:
        answer = await metrics.client.get("/v1/categories", params=query, headers=headers)
        page = answer.json()
        assert not any("examples" in item for item in page["items"])
        seen += [item["name"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        query["cursor"] = page["next_cursor"]
    assert seen == names[::-1]
    tagged = {**headers, "If-None-Match": answer.headers["etag"]}
    again = await metrics.client.get("/v1/categories", params=query, headers=tagged)
    assert again.status_code == 304


async def test_a_tenant_has_a_hundred_categories_at_most(metrics: Metrics, world: World) -> None:
    """Every conversation is rated by each of them."""
    headers = await metrics.key()
    await made(metrics, headers)
    await world.connection.execute(
        "insert into metrics.category select (jsonb_populate_record(c, jsonb_build_object('id', n::text))).*"
        " from metrics.category c, generate_series(1, 99) n"
    )
    response = await metrics.client.post("/v1/categories", json=CATEGORY, headers=headers)
    assert (response.status_code, response.json()["type"]) == (409, "urn:pruefstein:too_many_categories")


async def test_a_replay_is_told_and_its_progress_shown(metrics: Metrics, world: World) -> None:
    """Only of a category that is trained and enabled, over a time that is one."""
    headers = await metrics.key()
    category = await made(metrics, headers)
    url = f"/v1/categories/{category['id']}/replay"
    span = {"from": "2026-01-01", "to": "2026-03-31"}

    async def ask(body: dict[str, str]) -> httpx.Response:
        return await metrics.client.post(url, json=body, headers=headers)

    assert (await ask(span)).status_code == 409
    await hear(metrics, category)
    for wrong in (
        {"from": "2026-03-31", "to": "2026-01-01"},
        {"from": "x", "to": "y"},
        {"from": "2026-01-01"},
    ):
        assert (await ask(wrong)).status_code == 422
    response = await ask(span)
    assert response.status_code == 202
    (replay,) = response.json()["replays"]
    assert (replay["state"], replay["done"], replay["total"]) == ("waiting", 0, None)
    assert replay["opened_before"] == "2026-04-01T00:00:00Z"
    payload = next(payload for topic, payload in await outbox(world) if topic == topics.CATEGORY_REPLAYS)
    assert (payload["replay_id"], payload["after"]) == (replay["id"], None)
    await world.connection.execute(
        "insert into autoqa.replay (tenant_id, id, category_id, state, total, done, updated_at)"
        " values ('a', $1, $2, 'running', 10, 4, now()), ('b', $1, $2, 'done', 9, 9, now())",
        replay["id"],
        category["id"],
    )
    (replay,) = (await read(metrics, headers, category["id"]))["replays"]
    assert (replay["state"], replay["done"], replay["total"]) == ("running", 4, 10)


async def test_pass_rates_follow_and_equal_a_recount(metrics: Metrics, world: World) -> None:
    """By team from the rollups, by agent from the facts; a rating that changes is counted anew."""
    headers = await metrics.key()
    category = (await made(metrics, headers))["id"]
    for number, outcome in enumerate(("passed", "failed", "passed", "unsure", "not_applicable")):
        await world.conversation(
            f"c{number}",
            team="Sales" if number == 2 else "Billing",
            opened_at=OPENED + timedelta(days=7 * (number == 1)),
        )
        await world.review(f"c{number}", ratings=[a_rating(category, outcome)])
    await metrics.news(*(f"c{number}" for number in range(5)))
    name = f"pass_rate.{category}"

    async def rows(**query: str) -> list[dict[str, Any]]:
        response = await metrics.client.get(
            "/v1/kpis", params={"metrics": f"{name},volume", **query}, headers=headers
        )
        assert response.status_code == 200, response.text
        found: list[dict[str, Any]] = response.json()["rows"]
        return found

    assert [row[name] for row in await rows()] == [{"value": 66.6667, "n": 3}]
    expected = [("Billing", {"value": 50.0, "n": 2}), ("Sales", {"value": 100.0, "n": 1})]
    assert [(row["team"], row[name]) for row in await rows(group_by="team")] == expected
    assert [(row["team"], row[name]) for row in await rows(group_by="team,agent")] == expected
    weeks = {row["week"]: row[name] for row in await rows(group_by="week")}
    assert weeks == {"2026-W10": {"value": 100.0, "n": 2}, "2026-W11": {"value": 0.0, "n": 1}}
    assert {row["week"]: row[name] for row in await rows(group_by="week", tag="refund")} == weeks
    await world.review("c0", ratings=[a_rating(category, "failed")])
    await metrics.news("c0")
    assert [row[name] for row in await rows()] == [{"value": 33.3333, "n": 3}]
    await world.conversation("c0", status="spam")
    await metrics.news("c0")
    assert [row[name] for row in await rows()] == [{"value": 50.0, "n": 2}]
    async with metrics.database.transaction("a") as connection:
        kept = select(CATEGORY_ROLLUP).where(CATEGORY_ROLLUP.c.rated > 0)
        before = sorted(map(str, await connection.execute(kept)))
        fresh = [query for table, query in recounts("a") if table is CATEGORY_ROLLUP]
        assert sum([len((await connection.execute(query)).all()) for query in fresh]) == len(before)
        await recount(connection, "a")
        assert sorted(map(str, await connection.execute(kept))) == before


async def test_another_tenants_category_is_no_metric(metrics: Metrics) -> None:
    """Its id says nothing to anybody else."""
    category = await made(metrics, await metrics.key(tenant_id="b"))
    query = {"metrics": f"pass_rate.{category['id']}"}
    response = await metrics.client.get("/v1/kpis", params=query, headers=await metrics.key())
    assert response.status_code == 422
    assert category["id"] not in response.text


async def test_a_viewer_reads_and_changes_nothing(metrics: Metrics) -> None:
    """The role `qa_lead` makes, changes, deletes and replays."""
    category = await made(metrics, await metrics.key())
    viewer = await metrics.key(KeyRole.VIEWER)
    url = f"/v1/categories/{category['id']}"
    assert (await metrics.client.get(url, headers=viewer)).status_code == 200
    for method, path, body in (
        ("POST", "/v1/categories", CATEGORY),
        ("PATCH", url, {"name": "x"}),
        ("DELETE", url, None),
        ("POST", f"{url}/replay", {"from": "2026-01-01", "to": "2026-01-02"}),
    ):
        answer = await metrics.client.request(method, path, json=body, headers=viewer)
        assert answer.status_code == 403, (method, path)


async def test_the_relay_sends_what_waits_once_the_broker_is_there(
    metrics: Metrics, world: World, kafka: str
) -> None:
    """Ids only, under the tenant's key; what could not be sent stays."""
    category = await made(metrics, await metrics.key())
    store = CategoryStore(metrics.database)
    nowhere = Producer(KafkaSettings(bootstrap_servers="127.0.0.1:1"), client_id="t", timeout=1)
    with pytest.raises(Transient):
        await Relay(store, nowhere).flush("a")
    await nowhere.close()
    assert len(await outbox(world)) == 1
    settings = TopicSettings(bootstrap_servers=kafka)
    await create(settings, wanted(settings))
    producer = Producer(KafkaSettings(bootstrap_servers=kafka), client_id="test")
    relay = Relay(store, producer)
    running = asyncio.create_task(relay.run())
    relay.wake("a")
    async with asyncio.timeout(20):
        while await outbox(world):
            await asyncio.sleep(0.02)
    relay.stop()
    await running
    heard: list[Record] = []

    async def note(records: Any) -> None:
        heard.extend(records)

    loop: ConsumeLoop[Record] = ConsumeLoop(
        settings=KafkaSettings(bootstrap_servers=kafka),
        topics=[topics.CATEGORIES_CHANGED],
        group=f"test-{category['id']}",
        decode=lambda record: record,
        handle=note,
        producer=producer,
        clock=metrics.clock,
        batching=Batching(max_records=10, wait_ms=10),
    )
    consuming = asyncio.create_task(loop.run())
    async with asyncio.timeout(20):
        while not any(category["id"].encode() in (record.value or b"") for record in heard):
            await asyncio.sleep(0.02)
    loop.stop()
    await consuming
    await producer.close()
    mine = [record for record in heard if category["id"].encode() in (record.value or b"")]
    assert [record.key for record in mine] == [b"a"]
    assert not any(b"Geheimnis" in (record.value or b"") for record in heard)


class RefusesTenantA(Producer):
    """Cannot send the records of tenant `a`, whatever they are."""

    async def send(self, records: Sequence[Outgoing]) -> None:
        """Raises what nobody expects."""
        if any(record.key == b"a" for record in records):
            raise ValueError("cannot be sent")


async def test_a_tenants_record_that_cannot_be_sent_does_not_keep_others_back(
    metrics: Metrics, world: World
) -> None:
    """It stays and is tried again; the next tenant's are told in the same round."""
    for tenant_id in ("a", "b"):
        await made(metrics, await metrics.key(tenant_id=tenant_id))
    nowhere = RefusesTenantA(KafkaSettings(bootstrap_servers="127.0.0.1:1"), client_id="t", timeout=1)
    relay = Relay(CategoryStore(metrics.database), nowhere)
    relay.wake("a")
    relay.wake("b")
    running = asyncio.create_task(relay.run())
    async with asyncio.timeout(20):
        while len(await outbox(world)) > 1:
            await asyncio.sleep(0.02)
    relay.stop()
    await running
    await nowhere.close()
    assert [payload["tenant_id"] for _, payload in await outbox(world)] == ["a"]
