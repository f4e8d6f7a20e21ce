"""One helpdesk a file: how it would tell a story by webhooks, and how it signs them."""
