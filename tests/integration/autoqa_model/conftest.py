"""The shipped weights, opened once."""

import pytest

from services.autoqa.embedding import ReadingModel
from services.autoqa.model import load_model
from services.autoqa.model.files import GRAPH, WEIGHTS_FOLDER


@pytest.fixture(scope="session")
def model() -> ReadingModel:
    if not (WEIGHTS_FOLDER / GRAPH).exists():
        pytest.skip("the shipped weights are not in this checkout")
    return load_model("onnx", threads=2)
