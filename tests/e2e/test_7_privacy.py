"""What customers said stays where it belongs."""

from shared.contracts.topics import ALL, TICKET_EVENTS, dead_letters
from tests.e2e.system import System
from tests.e2e.talk import MARK, THREAT, tell
from tests.e2e.topics import records


async def test_no_text_name_or_address_leaves_conversations(system: System) -> None:
    """Not into logs, Prometheus, the inner topics or the headers of dead letters, after all the trouble."""
    told = tell("zendesk", THREAT, language="en")
    await system.send(told)
    await system.complete(told)
    examples = [{"text": f"{MARK}{n}", "positive": n < 4} for n in range(8)]
    made = await system.client.post(
        f"{system.url('metrics')}/v1/categories",
        json={"name": "Secret", "role": "agent", "examples": examples},
        headers=system.key("qa_lead"),
        timeout=60,
    )
    assert made.status_code in (201, 202)
    logs = list(system.stack.logs.glob("*.log*"))
    assert {"ingest.log", "autoqa.log", "metrics.log"} <= {path.name for path in logs}
    for path in logs:
        said = [line for line in path.read_text(errors="replace").splitlines() if MARK in line]
        assert said == [], path.name
    for service in system.stack.services:
        answer = await system.client.get(f"{system.url(service)}/metrics")
        assert answer.status_code == 200
        assert MARK not in answer.text, service
    bootstrap = system.stack.env["KAFKA_BOOTSTRAP"]
    inner = await records(bootstrap, *(topic for topic in ALL if topic != TICKET_EVENTS))
    assert inner
    for record in inner:
        if record.key != b"broken":  # what a test wrote there itself
            assert (
                MARK.encode()
                not in (record.value or b"") + (record.key or b"") + repr(record.headers).encode()
            )
    letters = await records(bootstrap, *map(dead_letters, ALL))
    for letter in letters:
        assert MARK not in repr(letter.headers)
