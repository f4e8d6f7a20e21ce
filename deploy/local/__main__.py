"""`python -m deploy.local up [--feed on|off]` runs the embedded stack, `clean` removes all that it keeps."""

import argparse
import shutil
import signal
import sys
import time
from threading import Event
from types import FrameType

from deploy.local.errors import StackError
from deploy.local.ports import HOST
from deploy.local.settings import LocalSettings
from deploy.local.stack import Stack
from deploy.local.supervise import supervise


class Interrupted(BaseException):
    """A signal asked to stop while the stack was still starting."""


class Voice:
    """Prints lines with the seconds since the start."""

    def __init__(self) -> None:
        """Start counting."""
        self._start = time.monotonic()

    def __call__(self, line: str) -> None:
        """Print one line at once; a reader that went away is no reason to stop."""
        try:
            sys.stdout.write(f"[{time.monotonic() - self._start:6.1f} s] {line}\n")
            sys.stdout.flush()
        except (OSError, ValueError):
            return


def main(arguments: list[str] | None = None) -> int:
    """Run the command; 1 with one line on standard error when it cannot be done."""
    parser = argparse.ArgumentParser(prog="python -m deploy.local", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    up = commands.add_parser("up", help="bring everything up and watch over it until Ctrl-C")
    up.add_argument("--feed", choices=("on", "off"), default="on", help="send demo conversations")
    commands.add_parser("clean", help="remove data, logs, secrets and keys")
    chosen = parser.parse_args(arguments)
    try:
        settings = LocalSettings.load()
        if chosen.command == "clean":
            return clean(settings)
        return run(settings, feed=chosen.feed == "on")
    except (StackError, OSError) as error:  # an OSError tells of a full disk or a forbidden file
        sys.stderr.write(f"Prüfstein: {error}\n")
        return 1


def run(settings: LocalSettings, *, feed: bool) -> int:
    """Bring the stack up, watch over it, and stop it when a signal asks to. Raises StackError."""
    say = Voice()
    stopping = Event()
    starting = True

    def on_signal(signum: int, frame: FrameType | None) -> None:
        del signum, frame
        first = not stopping.is_set()
        stopping.set()
        if starting and first:
            raise Interrupted

    signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    for signum in signals:
        signal.signal(signum, on_signal)
    stack = Stack(settings=settings, feed=feed, say=say)
    try:
        stack.start()
    except Interrupted:
        say("Stopped while starting")
        return 0
    finally:
        starting = False
    try:
        for line in welcome(stack):
            sys.stdout.write(f"{line}\n")
        sys.stdout.flush()
        supervise(stack, stopping, say)
    finally:
        say("Stopping")
        began = time.monotonic()
        stack.stop()
        say(f"All stopped ({time.monotonic() - began:.1f} s)")
    return 0


def welcome(stack: Stack) -> list[str]:
    """Addresses, the demo key, and three things to try."""
    env = stack.env
    metrics, autoqa, viewer = env["METRICS_URL"], env["AUTOQA_URL"], env.get("API_KEY_VIEWER", "")
    key = f"-H 'Authorization: Bearer {viewer}'"
    conversation = (
        '{"id": "1", "language": "en", "channel": "email", "messages": [{"id": "m1", "role": "customer", '
        '"at": "2026-03-02T09:14:00Z", "text": "This is the third time I write. I shall cancel it."}]}'
    )
    return [
        "",
        f"  ingest   {env['INGEST_URL']}/docs   webhooks and events come in",
        f"  autoqa   {autoqa}/docs   scores a conversation on request",
        f"  metrics  {metrics}/docs   scores, flags, KPIs, transcripts",
        f"  Kafka    {env['KAFKA_BOOTSTRAP']}",
        f"  Postgres {HOST}:{stack.settings.postgres_port}",
        f"  demo key (role viewer): {viewer}",
        f"  all keys and webhook secrets: {stack.env_file}     logs: {stack.logs}",
        "",
        "  Try, in another terminal:",
        f"  curl -s {key} '{metrics}/v1/flags?limit=3'",
        f"  curl -sN {key} {metrics}/v1/stream",
        f"  curl -s {key} -H 'Content-Type: application/json' {autoqa}/v1/score -d '{conversation}'",
        "",
        f"  {'Demo conversations are coming in. ' if stack.feed else ''}Ctrl-C stops everything; data stay.",
        "",
    ]


def clean(settings: LocalSettings) -> int:
    """Remove all that a stopped stack keeps. Raises StackError while one runs."""
    if not settings.home.exists():
        sys.stdout.write(f"{settings.home} does not exist: nothing to remove\n")
        return 0
    stack = Stack(settings=settings)
    with stack.claimed():
        place = stack.postgres.place
        for part in (place, *settings.home.iterdir()):
            if part.is_dir():
                shutil.rmtree(part)
            else:
                part.unlink(missing_ok=True)
    sys.stdout.write(f"removed data, logs and keys in {settings.home}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
