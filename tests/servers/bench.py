"""`make bench`: the live bench on servers of its own; says what it could not have."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from jobs.bench_live import compare
from tests.servers import missing
from tests.servers.kafka import KafkaServer
from tests.servers.postgres import PostgresServer

DURABLE = {"fsync": "on", "full_page_writes": "on", "shared_buffers": "512MB", "max_wal_size": "4GB"}
"""As an operator would have it: what is committed survives the loss of power."""
QUIX = missing.ROOT / ".venv-bench" / "bin" / "python"


def main() -> None:
    """Start Kafka and PostgreSQL, and measure."""
    if lack := missing.kafka() or missing.postgres():
        raise SystemExit(f"bench: no live section: {lack}")
    with tempfile.TemporaryDirectory() as folder:
        kafka = KafkaServer(Path(folder) / "kafka")
        postgres = PostgresServer(Path(folder) / "postgres", settings=DURABLE)
        with kafka, postgres:
            quix = ["--quix-python", str(QUIX)] if QUIX.exists() else []
            compare.main(["--kafka", kafka.bootstrap, "--server", postgres.dsn(), *quix, *sys.argv[1:]])


if __name__ == "__main__":
    main()
