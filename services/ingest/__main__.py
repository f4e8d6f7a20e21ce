"""`python -m services.ingest serve | parse | import | sources`."""

import argparse
import asyncio
import sys
from pathlib import Path

from services.ingest import parse
from services.ingest.bootstrap import serve
from services.ingest.import_ import Importer
from services.ingest.settings import ImportSettings, IngestSettings
from services.ingest.source_commands import add, list_all
from services.ingest.sources import SOURCES
from shared import process
from shared.errors import Stop


def main(arguments: list[str] | None = None) -> int:
    """Run a command; 1 with one line on standard error when it cannot be done."""
    options = _parser().parse_args(arguments)
    try:
        return _run(options)
    except Stop as error:
        sys.stderr.write(f"{error.detail}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        return 130


def _run(options: argparse.Namespace) -> int:
    if options.command == "parse":
        return parse.run(options.source, options.headers, options.body)
    if options.command == "import":
        importer = Importer(ImportSettings.load(), tenant_id=options.tenant, source=options.source)
        return asyncio.run(importer.run(options.files))
    settings = IngestSettings.load()
    if options.command == "serve":
        return process.main(lambda: serve(settings))
    if options.action == "list":
        asyncio.run(list_all(settings))
        return 0
    asyncio.run(
        add(
            settings,
            tenant_id=options.tenant,
            vendor=options.vendor,
            account_id=options.account,
            secret=options.secret,
        )
    )
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m services.ingest", description="Takes in what helpdesks tell of conversations."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("serve", help="run the service")

    parsing = commands.add_parser("parse", help="print the canonical events of a webhook's body")
    parsing.add_argument("--source", required=True, choices=sorted(SOURCES), help="the helpdesk")
    parsing.add_argument("--headers", type=Path, help="JSON file with the request's headers")
    parsing.add_argument("body", type=Path, help="file with the body")

    importing = commands.add_parser("import", help="import conversations from JSON Lines, plain or gzip")
    importing.add_argument("files", type=Path, nargs="+", metavar="FILE")
    importing.add_argument("--tenant", required=True, help="whose conversations they are")
    importing.add_argument("--source", default="import", type=_source_word, help="where they come from")

    sources = commands.add_parser("sources", help="helpdesks that may send webhooks")
    actions = sources.add_subparsers(dest="action", required=True)
    adding = actions.add_parser("add", help="let a helpdesk in; prints SOURCE_ID SECRET")
    adding.add_argument("--tenant", required=True, help="whose conversations it sends")
    adding.add_argument("--vendor", required=True, choices=sorted(SOURCES), help="the helpdesk")
    adding.add_argument("--account", help="its account, where the webhooks do not name it")
    adding.add_argument("--secret", help="the signing secret; a random one without it")
    actions.add_parser("list", help="print all sources, without secrets")
    return parser


def _source_word(text: str) -> str:
    if not text.isascii() or not text.replace("-", "").replace("_", "").isalnum() or text != text.lower():
        raise argparse.ArgumentTypeError("lower-case letters, digits, - and _ only")
    return text


if __name__ == "__main__":
    sys.exit(main())
