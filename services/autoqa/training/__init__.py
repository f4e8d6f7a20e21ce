"""Data, training, evaluation and export of the message model; never imported by serving."""
