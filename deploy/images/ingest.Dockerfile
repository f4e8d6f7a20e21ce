# The image of ingest: neither torch nor onnxruntime.
FROM python:3.11.15-slim-bookworm AS build
WORKDIR /build
COPY requirements/uv.txt requirements/ingest.txt ./
RUN pip install --no-cache-dir --require-hashes -r uv.txt \
    && uv venv --python /usr/local/bin/python /opt/venv \
    && uv pip install --no-cache --compile-bytecode --python /opt/venv/bin/python --require-hashes -r ingest.txt

FROM python:3.11.15-slim-bookworm
RUN groupadd --gid 10001 pruefstein \
    && useradd --uid 10001 --gid 10001 --no-create-home --shell /usr/sbin/nologin pruefstein
WORKDIR /app
COPY --from=build /opt/venv /opt/venv
COPY shared shared
COPY services/__init__.py services/__init__.py
COPY services/ingest services/ingest
# The root file system is mounted read-only, so the bytecode is made here.
RUN python -m compileall -q /app
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
ENV INGEST_HOST=0.0.0.0
USER 10001:10001
EXPOSE 8081
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8081/healthz', timeout=4)"]
ENTRYPOINT ["python", "-m", "services.ingest"]
CMD ["serve"]
