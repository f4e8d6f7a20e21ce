"""The message model: what a message says and does, with calibrated confidence and evidence."""

from services.autoqa.model.load import load_model
from services.autoqa.model.outcome import Outcome, predict_outcome

__all__ = ["Outcome", "load_model", "predict_outcome"]
