"""Demo conversations, sent as the signed webhooks of real helpdesks."""
