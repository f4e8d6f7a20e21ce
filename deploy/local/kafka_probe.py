"""Asks a broker one question over a plain socket: who is in the cluster?

Only an unfenced broker is listed in the answer, so a listed one takes records; an open port alone says less.
"""

import socket
import struct
from typing import Final

from deploy.local.ports import HOST

_METADATA: Final = 3
_VERSION: Final = 4
_NO_TOPICS: Final = struct.pack(">i?", 0, False)
_LARGEST: Final = 1 << 20


def is_ready(port: int, *, timeout: float = 1.0) -> bool:
    """Whether a Kafka broker on 127.0.0.1:`port` takes records; False also for any other server."""
    client = b"probe"
    body = struct.pack(">hhih", _METADATA, _VERSION, 1, len(client)) + client + _NO_TOPICS
    try:
        with socket.create_connection((HOST, port), timeout) as connection:
            connection.sendall(struct.pack(">i", len(body)) + body)
            (size,) = struct.unpack(">i", _read(connection, 4))
            if not 12 <= size <= _LARGEST:
                return False
            # Correlation id, throttle time, then the list of brokers.
            correlation, _, brokers = struct.unpack_from(">iii", _read(connection, size))
    except (OSError, struct.error):
        return False
    return bool(correlation == 1 and brokers > 0)


def _read(connection: socket.socket, size: int) -> bytes:
    parts = bytearray()
    while len(parts) < size:
        part = connection.recv(size - len(parts))
        if not part:
            raise ConnectionResetError("the server closed the connection")
        parts += part
    return bytes(parts)
