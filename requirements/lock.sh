#!/bin/sh
# Pins and hashes everything that pyproject.toml names, one file a use; `make lock` runs it.
set -eu
cd "$(dirname "$0")/.."
compile() {
    out=$1
    shift
    .venv/bin/uv pip compile --quiet --generate-hashes --no-emit-index-url --no-emit-find-links --no-header \
        --python-version 3.11 --output-file "requirements/$out.txt" "$@"
}
compile uv requirements/uv.in
compile ingest pyproject.toml --extra ingest
compile autoqa pyproject.toml --extra autoqa
compile metrics pyproject.toml --extra metrics
compile run pyproject.toml --extra ingest --extra autoqa --extra metrics --extra local
compile gpu pyproject.toml --extra autoqa --extra gpu
compile test pyproject.toml --extra ingest --extra autoqa --extra metrics --extra local --extra train --extra test
