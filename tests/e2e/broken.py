"""Bodies that nobody should send, made from good ones by seeded chance."""

import copy
import json
import random
from collections.abc import Callable, Iterator
from typing import Any, Final

_HUGE: Final = 10**400
JUNK: Final[tuple[Any, ...]] = (
    *(None, True, 0, -1, 2**63, _HUGE, 1e308, float("nan"), float("-inf"), "", " ", "\x00", "\ud800"),
    *("x" * 20_000, "9" * 400, "2026-13-45T99:99:99Z", "0001-01-01T00:00:00Z", -62_135_596_801_000),
    *([], {}, [[]], {"": None}, [None] * 50, {"id": {"id": {}}}, "<div " * 500, "😀\u202e\ufeff"),
)
GARBAGE: Final = (
    *(b"", b"null", b"[]", b"{}", b'"text"', b"0", b"\xff\xfe\x00", b"{" * 3000, b"[" * 100_000),
    *(b'{"a":' * 20_000, b"NaN", b'{"id":1,"id":2}', b"\xef\xbb\xbf{}", b'"\\ud800"', b"<xml/>"),
)


def broken(body: bytes, chance: random.Random) -> bytes:
    """A mutation of `body`: of its bytes, of its structure, or something else altogether."""
    ways: tuple[Callable[[bytes, random.Random], bytes], ...] = (_bytes_broken, _structure_broken)
    way = chance.choices((*ways, _garbage), weights=(3, 6, 1))[0]
    return way(body, chance)


def _garbage(body: bytes, chance: random.Random) -> bytes:
    return chance.choice((*GARBAGE, chance.randbytes(200)))


def _bytes_broken(body: bytes, chance: random.Random) -> bytes:
    changed = bytearray(body)
    for _ in range(chance.randint(1, 4)):
        begin = chance.randrange(len(changed) + 1)
        end = min(len(changed), begin + chance.randint(1, 30))
        part = bytes(changed[begin:end])
        changed[begin:end] = chance.choice((b"", part * 2, chance.randbytes(3), part[::-1]))
    return bytes(changed)


def _structure_broken(body: bytes, chance: random.Random) -> bytes:
    value = json.loads(body)
    for _ in range(chance.randint(1, 3)):
        places = list(_places(value))
        if not places:
            break
        container, key = chance.choice(places)
        how = chance.choice(("delete", "replace", "replace", "nest", "list"))
        if how == "delete":
            del container[key]
        elif how == "replace":
            container[key] = copy.deepcopy(chance.choice(JUNK))
        else:
            container[key] = {"x": container[key]} if how == "nest" else [container[key]]
    return json.dumps(value).encode()


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    if not isinstance(value, dict | list):
        return
    for key in list(value) if isinstance(value, dict) else range(len(value)):
        yield value, key
        yield from _places(value[key])
