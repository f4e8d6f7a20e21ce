"""Bodies of messages become plain text; pure, and linear in the size of the body."""

from services.ingest.text.body import Body, html_body, plain_body

__all__ = ["Body", "html_body", "plain_body"]
