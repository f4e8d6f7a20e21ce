"""`python -m services.autoqa serve|score`."""

import argparse
import sys
from functools import partial
from pathlib import Path

from services.autoqa.settings import AutoqaSettings, load_score_settings
from shared.errors import Stop
from shared.process import main


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m services.autoqa", description="Rates conversations.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("serve", help="run the service; settings by environment (AUTOQA_...)")
    score = commands.add_parser(
        "score", help="rate the conversations of a JSON Lines file; needs neither broker nor database"
    )
    score.add_argument("--input", type=Path, required=True, help="one conversation a line; .gz is gzip")
    score.add_argument("--output", type=Path, required=True, help="one answer a line; .gz is gzip")
    score.add_argument(
        "--runtime", choices=("onnx", "torch"), help="default: AUTOQA_MODEL__RUNTIME, else onnx"
    )
    return parser


def _run(arguments: argparse.Namespace) -> int:
    # Each command imports what it needs: rating a file waits for no web server's code.
    if arguments.command == "serve":
        from services.autoqa.bootstrap import serve

        return main(partial(serve, AutoqaSettings.load()))
    from services.autoqa.reader import read_file

    if not arguments.input.is_file():
        raise Stop(f"cannot read {arguments.input}: there is no such file", reason="file")
    settings = load_score_settings(runtime=arguments.runtime)
    return main(partial(read_file, settings, arguments.input, arguments.output))


if __name__ == "__main__":
    try:
        sys.exit(_run(_parser().parse_args()))
    except Stop as error:
        sys.exit(error.detail)
