"""What stops the embedded stack."""


class StackError(Exception):
    """The stack cannot go on; the text is the one line that its user reads."""
