"""Every Prometheus series of the product: name, meaning, unit and labels. Labels are bounded, never ids."""

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

_SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30)

HTTP_REQUESTS: Final = Counter(
    "pruefstein_http_requests_total", "HTTP requests answered.", ["service", "method", "route", "status"]
)
HTTP_SECONDS: Final = Histogram(
    "pruefstein_http_request_seconds", "Time to answer a request.", ["service", "route"], buckets=_SECONDS
)

READY: Final = Gauge(
    "pruefstein_ready",
    "Whether a thing the service depends on was usable when last asked: 1 or 0.",
    ["check"],
)
"""Asked by /readyz and by every scrape."""

EVENTS_IN: Final = Counter(
    "pruefstein_ingest_events_total", "Deliveries taken in, by vendor and outcome.", ["vendor", "outcome"]
)
"""`outcome`: accepted, ping, ignored."""
EVENTS_REFUSED: Final = Counter(
    "pruefstein_ingest_refused_total", "Deliveries refused at the door, by reason.", ["vendor", "reason"]
)
EVENTS_FOLDED: Final = Counter(
    "pruefstein_ingest_folded_total", "Ticket events folded into conversations.", ["vendor", "outcome"]
)
"""`outcome`: changed, duplicate."""

RECORDS_CONSUMED: Final = Counter("pruefstein_records_consumed_total", "Records handled.", ["topic"])
BATCH_RECORDS: Final = Histogram(
    "pruefstein_batch_records",
    "Records in a handled batch.",
    ["topic"],
    buckets=(1, 2, 5, 10, 25, 50, 100, 250, 500),
)
BATCH_SECONDS: Final = Histogram(
    "pruefstein_batch_seconds", "Time to handle a batch, commit excluded.", ["topic"], buckets=_SECONDS
)
CONSUMER_LAG: Final = Gauge(
    "pruefstein_consumer_lag_records", "Records behind the high watermark.", ["topic", "partition"]
)
RETRIES: Final = Counter(
    "pruefstein_batch_retries_total", "Batches tried again, by reason.", ["topic", "reason"]
)
DEAD_LETTERS: Final = Counter(
    "pruefstein_dead_letters_total", "Records moved to the dead-letter topic.", ["topic", "reason"]
)

ENCODE_SECONDS: Final = Histogram(
    "pruefstein_autoqa_encode_seconds", "Time the model took for a batch of messages.", buckets=_SECONDS
)
ENCODE_TOKENS: Final = Histogram(
    "pruefstein_autoqa_batch_tokens",
    "Tokens in a batch given to the model.",
    buckets=(64, 256, 1024, 4096, 16384, 65536),
)
MESSAGES_ENCODED: Final = Counter("pruefstein_autoqa_messages_encoded_total", "Messages read by the model.")
MESSAGES_CACHED: Final = Counter(
    "pruefstein_autoqa_messages_cached_total", "Messages whose prediction was already stored."
)
REVIEWS: Final = Counter("pruefstein_autoqa_reviews_total", "Reviews stored, by state.", ["state"])
FLAGS_RAISED: Final = Counter(
    "pruefstein_autoqa_flags_total", "Flags found that were not there before.", ["kind"]
)
EVENT_TO_SCORE_SECONDS: Final = Histogram(
    "pruefstein_event_to_score_seconds",
    "From the moment ingest took in the event to the published score.",
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 300),
)

KPI: Final = Gauge(
    "pruefstein_kpi",
    "Key figures of conversations opened in the last days, as in GET /v1/kpis, in the unit named there.",
    ["tenant", "team", "kpi"],
)
"""`team`: the busiest ones, `other`, `none` and `all`; by default the last 30 days."""
