"""`python -m services.autoqa.training train|evaluate|export`."""

import argparse
import os
from pathlib import Path

from services.autoqa.model.files import WEIGHTS_FOLDER
from services.autoqa.training.evaluate import evaluate
from services.autoqa.training.export import export
from services.autoqa.training.train import TrainOptions, train

DEFAULT_BASE = os.environ.get("PRUEFSTEIN_BASE_MODEL", "../shared/models/multilingual-e5-small-eu")
DEFAULT_RUN = Path("runs/message-model")


def main() -> None:
    """Reads the command line."""
    parser = argparse.ArgumentParser(prog="python -m services.autoqa.training", description=__doc__)
    recipe = TrainOptions(base=DEFAULT_BASE, out=DEFAULT_RUN)
    commands = parser.add_subparsers(dest="command", required=True)
    training = commands.add_parser("train", help="fine-tune the base encoder; resumes the run in --out")
    training.add_argument("--base", default=DEFAULT_BASE, help="folder or hub name")
    training.add_argument("--out", type=Path, default=DEFAULT_RUN)
    training.add_argument("--start", type=Path, help="a finished run to begin from")
    training.add_argument("--epochs", type=int, default=recipe.epochs)
    training.add_argument("--auxiliary", type=Path, default=recipe.auxiliary)
    training.add_argument("--auxiliary-epochs", type=int, default=recipe.auxiliary_epochs)
    training.add_argument("--learning-rate", type=float, default=recipe.learning_rate)
    training.add_argument("--augmented", type=float, default=recipe.augmented)
    training.add_argument("--minutes", type=float, default=0.0, help="end by then; 0: no limit")
    training.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    training.add_argument("--threads", type=int, default=2)
    training.add_argument("--share", type=float, default=1.0, help="of the training part, to try it")
    training.add_argument("--whole", action="store_true", help="train on the development part too")
    exporting = commands.add_parser("export", help="make the shipped files from a run's checkpoint")
    exporting.add_argument("--run", type=Path, default=DEFAULT_RUN)
    exporting.add_argument("--base", default=DEFAULT_BASE)
    exporting.add_argument("--out", type=Path, default=WEIGHTS_FOLDER)
    exporting.add_argument("--threads", type=int, default=2)
    evaluating = commands.add_parser("evaluate", help="rebuild the report from the weights and the dev part")
    evaluating.add_argument("--folder", type=Path, default=WEIGHTS_FOLDER)
    evaluating.add_argument("--out", type=Path, default=Path("runs/evaluation"))
    evaluating.add_argument("--card", type=Path, help="model card that takes the report in")
    evaluating.add_argument("--cross-validation", action="store_true", help="of the outcome heads; slow")
    evaluating.add_argument("--threads", type=int, default=2)
    arguments = vars(parser.parse_args())
    command = arguments.pop("command")
    if command == "train":
        train(TrainOptions(**arguments))
    elif command == "export":
        export(**arguments)
    else:
        evaluate(**arguments)


if __name__ == "__main__":
    main()
