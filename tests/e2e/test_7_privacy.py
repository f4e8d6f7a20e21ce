"""What customers said stays where it belongs."""

from shared.contracts.topics import CONVERSATIONS_CHANGED, CONVERSATIONS_SCORED, TICKET_EVENTS, dead_letters
from tests.e2e.system import System
from tests.e2e.talk import MARK, THREAT, tell
from tests.e2e.topics import records


async def test_no_text_name_or_address_leaves_conversations(system: System) -> None:
    """Not into logs, Prometheus, the inner topics or the headers of dead letters, after all the trouble."""
    told = tell("zendesk", THREAT, language="en")
    await system.send(told)
    await system.complete(told)
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
    inner = await records(bootstrap, CONVERSATIONS_CHANGED, CONVERSATIONS_SCORED)
    assert inner
    for record in inner:
        if record.key != b"broken":  # what a test wrote there itself
            assert (
                MARK.encode()
                not in (record.value or b"") + (record.key or b"") + repr(record.headers).encode()
            )
    letters = await records(
        bootstrap, *map(dead_letters, (TICKET_EVENTS, CONVERSATIONS_CHANGED, CONVERSATIONS_SCORED))
    )
    for letter in letters:
        assert MARK not in repr(letter.headers)
