"""The command for people who connect a helpdesk."""

import json
from pathlib import Path

import pytest

from services.ingest.parse import run
from tests.unit.ingest.samples import OURS, assert_subset, expected, one


@pytest.mark.parametrize("place", range(len(expected())))
def test_the_events_are_printed_as_a_list(
    place: int, tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    """In UTF-8, in the shape of the contract."""
    signed, wanted = expected()[place]
    headers = tmp_path / "headers.json"
    headers.write_text(json.dumps({name.title(): value for name, value in signed.headers.items()}))
    assert run(signed.vendor, headers, OURS / signed.vendor / signed.name) == 0
    out = capfdbinary.readouterr().out
    (event,) = json.loads(out)
    assert_subset(wanted, event)
    assert "ü".encode() in out or b"\\u" not in out


def test_headers_may_be_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    """As far as the body allows."""
    for vendor, name in (("zammad", "ticket_created"), ("helpscout", "convo_agent_reply_created")):
        assert run(vendor, None, OURS / vendor / one(vendor, name).name) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("source", "body"),
    [
        ("zendesk", b"{"),
        ("zendesk", b"[]"),
        ("nobody", b"{}"),
        ("generic", b'{"event":"message.added"}'),
        ("zammad", None),
    ],
)
def test_what_is_refused_gets_one_line(
    source: str, body: bytes | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """On stderr, with exit code 1."""
    path = tmp_path / "body.json"
    if body is not None:
        path.write_bytes(body)
    assert run(source, None, path) == 1
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
