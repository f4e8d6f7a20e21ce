# What runs once: migrations and topics before the services start, dead letters put back when asked for.
# Carries every service's migrations and none of its work.
FROM python:3.11.15-slim-bookworm AS build
WORKDIR /build
COPY requirements/uv.txt requirements/metrics.txt ./
RUN pip install --no-cache-dir --require-hashes -r uv.txt \
    && uv venv --python /usr/local/bin/python /opt/venv \
    && uv pip install --no-cache --compile-bytecode --python /opt/venv/bin/python --require-hashes -r metrics.txt

FROM python:3.11.15-slim-bookworm
RUN groupadd --gid 10001 pruefstein \
    && useradd --uid 10001 --gid 10001 --no-create-home --shell /usr/sbin/nologin pruefstein
WORKDIR /app
COPY --from=build /opt/venv /opt/venv
COPY shared shared
COPY services/__init__.py services/__init__.py
COPY services/ingest/migrations services/ingest/migrations
COPY services/autoqa/migrations services/autoqa/migrations
COPY services/metrics/migrations services/metrics/migrations
COPY deploy/__init__.py deploy/migrate.py deploy/topics.py deploy/dead_letters.py deploy/
RUN python -m compileall -q /app
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER 10001:10001
# Runs to its end; there is nothing to ask for its health.
HEALTHCHECK NONE
CMD ["python", "-m", "deploy.migrate"]
