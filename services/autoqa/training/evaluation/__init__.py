"""The evaluation report: everything in it is measured on messages that the weights have not seen."""
