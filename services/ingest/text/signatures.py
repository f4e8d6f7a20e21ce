"""T2 on lines: where a customer's signature begins. Agents keep theirs, since closings count."""

__all__ = ["signature_begins_at"]


def signature_begins_at(lines: list[str]) -> int | None:
    """The line `-- `; many mail programs lose its space."""
    return next((at for at, line in enumerate(lines) if line.rstrip() == "--"), None)
