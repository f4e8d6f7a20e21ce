"""Runs every benchmark in a process of its own and says which goals were met: `make bench`."""

import subprocess
import sys
from typing import Final

ALL: Final = ("ingest_throughput", "webhook_to_flag", "model_speed", "kpi_query")


def main() -> int:
    """1 where a goal was missed."""
    missed = []
    for name in ALL:
        print(f"\n== {name}", flush=True)
        if subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], check=False).returncode:  # noqa: S603
            missed.append(name)
    print(f"\ngoals missed: {', '.join(missed)}" if missed else "\nall goals met")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
