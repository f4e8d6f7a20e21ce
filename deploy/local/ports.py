"""TCP ports on 127.0.0.1."""

import socket
from typing import Final

from deploy.local.errors import StackError

HOST: Final = "127.0.0.1"


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on at this moment, all different."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind((HOST, 0))
        return [int(one.getsockname()[1]) for one in sockets]
    finally:
        for one in sockets:
            one.close()


def is_free(port: int) -> bool:
    """Whether we could listen on `port`; connections that have just closed do not count."""
    with socket.socket() as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            one.bind((HOST, port))
        except OSError:
            return False
    return True


def require_free(port: int, *, owner: str, setting: str) -> None:
    """Raises StackError naming the port, who wanted it, and the setting that moves it."""
    if not is_free(port):
        raise StackError(
            f"port {port} for {owner} is in use by another process: "
            f"stop that one, or set {setting} to a free port"
        )
