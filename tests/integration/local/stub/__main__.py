"""Stands in for a service in tests of the stack: ready at once, and a command line that makes up keys."""

import os
import signal
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from types import FrameType


class Handler(BaseHTTPRequestHandler):
    """Ready, and nothing else."""

    def do_GET(self) -> None:
        """200 for `/readyz`."""
        self.send_response(200 if self.path == "/readyz" else 404)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


def _end(signum: int, frame: FrameType | None) -> None:
    del signum, frame
    sys.exit(0)


def main(arguments: list[str]) -> int:
    """Serve on the only service port in the environment, or print a key, or an id with its secret."""
    if arguments[0] == "serve":
        names = ("INGEST_PORT", "AUTOQA_PORT", "METRICS_PORT")
        (port,) = (os.environ[name] for name in names if name in os.environ)
        signal.signal(signal.SIGTERM, _end)
        sys.stdout.write("serving\n")
        HTTPServer(("127.0.0.1", int(port)), Handler).serve_forever()
    elif arguments[0] == "keys":
        sys.stdout.write(f"pst_{arguments[-1]}\n")
    else:
        sys.stdout.write(f"src-{arguments[-1]} secret-{arguments[-1]}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
