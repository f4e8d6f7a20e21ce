"""Opens the message model. Torch is imported only where it is asked for."""

from pathlib import Path
from typing import Literal

from services.autoqa.embedding import ReadingModel
from services.autoqa.model.files import WEIGHTS_FOLDER
from services.autoqa.model.onnx_runtime import load_onnx_model


def load_model(
    runtime: Literal["onnx", "torch"] = "onnx",
    folder: Path | None = None,
    device: Literal["cpu", "cuda"] = "cpu",
    threads: int = 2,
) -> ReadingModel:
    """The model in `folder` (default: the shipped weights), using at most `threads` cores of the CPU.

    `device` is for torch; the ONNX graph runs on the CPU.
    """
    folder = folder or WEIGHTS_FOLDER
    if runtime == "torch":
        from services.autoqa.model.torch_runtime import load_torch_model

        return load_torch_model(folder, device=device, threads=threads)
    return load_onnx_model(folder, threads=threads)
