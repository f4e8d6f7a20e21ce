"""`python -m services.autoqa.training train|curve|export|evaluate|evidence|check`."""

import argparse
import os
import sys
from pathlib import Path

from services.autoqa.model.files import WEIGHTS_FOLDER
from services.autoqa.training.data import DATA
from services.autoqa.training.data_check import check
from services.autoqa.training.evaluation.evidence import draw_evidence
from services.autoqa.training.evaluation.learning_curve import SHARES, learning_curve
from services.autoqa.training.evaluation.report import LEARNING_CURVE, REPORT, evaluate
from services.autoqa.training.export import export
from services.autoqa.training.train import TrainOptions, train

DEFAULT_BASE = os.environ.get("PRUEFSTEIN_BASE_MODEL", "../shared/models/multilingual-e5-small-eu")
DEFAULT_RUN = Path("runs/message-model")
DEFAULT_FOREIGN = Path(os.environ.get("PRUEFSTEIN_FOREIGN_SETS", "../shared/data"))
DOCS = Path("docs")


def main() -> None:
    """Reads the command line."""
    parser = argparse.ArgumentParser(prog="python -m services.autoqa.training", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    training = commands.add_parser("train", help="fine-tune the base encoder; resumes the run in --out")
    _add_recipe(training, DEFAULT_RUN)
    curve = commands.add_parser("curve", help="train short runs on parts of the data: the learning curve")
    _add_recipe(curve, Path("runs/learning-curve"))
    curve.add_argument("--shares", type=float, nargs="+", default=SHARES, help="of the training messages")
    exporting = commands.add_parser("export", help="make the shipped files from a run's checkpoint")
    exporting.add_argument("--run", type=Path, default=DEFAULT_RUN)
    exporting.add_argument("--base", default=DEFAULT_BASE)
    exporting.add_argument("--out", type=Path, default=WEIGHTS_FOLDER)
    exporting.add_argument("--threads", type=int, default=2)
    evaluating = commands.add_parser("evaluate", help="rebuild the report from the weights and the dev part")
    evaluating.add_argument("--folder", type=Path, default=WEIGHTS_FOLDER)
    evaluating.add_argument("--out", type=Path, default=DOCS)
    evaluating.add_argument("--card", type=Path, default=DOCS / "model-card.md", help="takes the summary in")
    evaluating.add_argument("--foreign", type=Path, default=DEFAULT_FOREIGN, help="folder of foreign sets")
    evaluating.add_argument("--threads", type=int, default=2)
    drawing = commands.add_parser("evidence", help="draw the sample by which people judge evidence")
    drawing.add_argument("--folder", type=Path, default=WEIGHTS_FOLDER)
    drawing.add_argument("--out", type=Path, default=Path("runs/evidence.jsonl"))
    drawing.add_argument("--count", type=int, default=200)
    drawing.add_argument("--threads", type=int, default=2)
    checking = commands.add_parser("check", help="read the labelled data critically; exits 1 for faults")
    checking.add_argument("--data", type=Path, default=DATA)
    checking.add_argument("--evaluation", type=Path, default=DOCS / f"{REPORT}.json", help="to compare with")
    checking.add_argument("--page", type=Path, default=DOCS / "data-check.md")
    checking.add_argument("--card", type=Path, default=DATA / "README.md", help="takes the counts in")
    arguments = vars(parser.parse_args())
    command = arguments.pop("command")
    if command == "train":
        train(TrainOptions(**arguments))
    elif command == "curve":
        shares = arguments.pop("shares")
        learning_curve(TrainOptions(**arguments), DOCS / LEARNING_CURVE, shares)
    elif command == "export":
        export(**arguments)
    elif command == "evidence":
        draw_evidence(arguments.pop("folder"), arguments.pop("out"), **arguments)
    elif command == "evaluate":
        evaluate(**arguments)
    else:
        sys.exit(check(arguments.pop("data"), **arguments))


def _add_recipe(parser: argparse.ArgumentParser, out: Path) -> None:
    recipe = TrainOptions(base=DEFAULT_BASE, out=out)
    parser.add_argument("--base", default=recipe.base, help="folder or hub name")
    parser.add_argument("--out", type=Path, default=recipe.out)
    parser.add_argument("--start", type=Path, help="a finished run to begin from")
    parser.add_argument("--epochs", type=int, default=recipe.epochs)
    parser.add_argument("--auxiliary", type=Path, default=recipe.auxiliary, help="folder of the class A sets")
    parser.add_argument("--auxiliary-epochs", type=int, default=recipe.auxiliary_epochs)
    parser.add_argument("--learning-rate", type=float, default=recipe.learning_rate)
    parser.add_argument("--augmented", type=float, default=recipe.augmented, help="share of messages")
    parser.add_argument("--average-decay", type=float, default=recipe.average_decay)
    parser.add_argument("--minutes", type=float, default=0.0, help="end by then; 0: no limit")
    parser.add_argument("--device", choices=("cpu", "cuda"), default=recipe.device)
    parser.add_argument("--threads", type=int, default=recipe.threads)
    parser.add_argument("--share", type=float, default=recipe.share, help="of the training part, to try it")


if __name__ == "__main__":
    main()
