"""What is wrong with files, options and ports is one line and exit code 2, whichever command of the live system."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest

from streams.ingest.push import token_line
from streams.ingest.spool import Spool
from tests.jobs.commands import SECRET, SITE, begun, faults
from tests.servers.ports import LOOPBACK, free_port

INLETS = "topics:\n  - {topic: 'plant/{gateway}', site: plant}\n"
NEEDED = ("telemetry", "telemetry.dlq", "energy.interval", "anomaly", "alerts")
STORE = "postgresql://nobody@127.0.0.1:1/nowhere"


@dataclass(frozen=True, slots=True)
class Place:
    """A folder with files that are right, files that are wrong, and a port that is taken."""

    folder: Path
    taken: str

    def file(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        return path

    @property
    def inlet(self) -> list[object]:
        """An inlet that needs no server."""
        tokens = self.file("tokens", token_line("gw", "open sesame", "*") + "\n")
        return ["--http", f"{LOOPBACK}:{free_port()}", "--tokens", tokens]

    def worker(self, *more: object, sites: Path = SITE) -> list[object]:
        return ["worker", "--sites", sites, "--store", STORE, "--kafka", f"{LOOPBACK}:1", *more]

    def run(self, *more: object, sites: Path = SITE, store: str = "duckdb:///here.duckdb") -> list[object]:
        given = [] if "--http" in more or "--mqtt" in more else self.inlet
        spool = [] if "--spool" in more else ["--spool", "spool"]
        metrics = [] if "--metrics" in more else ["--metrics", f"{LOOPBACK}:0"]
        return ["run", "--sites", sites, "--store", store, *spool, *metrics, *given, *more]

    def bridge(self, *more: object) -> list[object]:
        given = [] if "--http" in more or "--mqtt" in more else self.inlet
        spool = [] if "--spool" in more else ["--spool", "spool"]
        return ["bridge", "--kafka", f"{LOOPBACK}:1", *spool, *given, *more]


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with socket.create_server((LOOPBACK, 0)) as taken:
        yield Place(tmp_path, f"{LOOPBACK}:{taken.getsockname()[1]}")


def bad_catalogs(place: Place) -> dict[str, tuple[Path, str]]:
    right = SITE.read_text()
    place.file("unknown/site.yaml", right.replace("kind: machining", "kind: machining\nkindd: machining", 1))
    (place.folder / "none").mkdir()
    return {
        "no YAML": (
            place.file("broken.yaml", "site: a\n  kind: [\n"),
            "broken.yaml:2: is not YAML: expected YAML; found mapping values are not allowed here",
        ),
        "an unknown key": (
            place.folder / "unknown",
            "unknown/site.yaml:5: kindd: unknown key: expected one of allowed_lateness, assets, emissions, gwp_set",
        ),
        "a folder without files": (place.folder / "none", "none: no site: expected files *.yaml; found none"),
        "no such folder": (
            place.folder / "nowhere",
            "nowhere: no site: expected files *.yaml; found no such file or folder",
        ),
    }


def test_a_bad_catalog_is_told(place: Place) -> None:
    catalogs = bad_catalogs(place)
    cases = {f"worker: {name}": (place.worker(sites=path), said) for name, (path, said) in catalogs.items()}
    cases |= {f"run: {name}": (place.run(sites=path), said) for name, (path, said) in catalogs.items()}
    to_kafka = ["--store", STORE, "--to", "kafka", "--run", "again", "--kafka", f"{LOOPBACK}:1"]
    for name in ("no YAML", "an unknown key"):
        path, said = catalogs[name]
        site = path / "site.yaml" if path.is_dir() else path
        cases[f"replay: {name}"] = (["replay", site, *to_kafka], said)
    assert not faults(place.folder / "out", cases)


def test_the_doctor_tells_of_a_bad_catalog_too_and_goes_on(place: Place) -> None:
    catalogs = bad_catalogs(place)
    with begun(
        place.folder / "out", {name: ["doctor", "--sites", path] for name, (path, _) in catalogs.items()}
    ) as all_:
        ends = {name: command.ended() for name, command in all_.items()}
    assert {name: (end.code, end.said, catalogs[name][1] in end.out) for name, end in ends.items()} == dict.fromkeys(
        catalogs, (1, [], True)
    )


def test_a_bad_file_of_topics_is_told(place: Place) -> None:
    rows = "".join(f"{name}: {{partitions: 1}}\n" for name in NEEDED)
    files = {
        "no YAML": ("telemetry: [\n", ":2: is not YAML: expected YAML; found "),
        "an unknown key": (
            rows.replace("partitions: 1}", "partitions: 1, partition: 2}", 1),
            ":1: telemetry.partition: unknown key: expected one of config, partitions, replication; found partition",
        ),
        "no partitions": (
            rows.replace("partitions: 1", "partitions: 0", 1),
            ":1: telemetry.partitions: bad value: expected greater than or equal to 1; found 0",
        ),
        "a topic left out": (
            "telemetry: {partitions: 1}\n",
            ": expected the topic 'telemetry.dlq' among those of --topics; found telemetry",
        ),
    }
    cases = {
        name: (place.worker("--topics", place.file(f"{number}.yaml", text)), f"{number}.yaml{said}")
        for number, (name, (text, said)) in enumerate(files.items())
    }
    nowhere = place.folder / "nowhere.yaml"
    cases["no file"] = (
        place.worker("--topics", nowhere),
        f"{nowhere}: cannot be read: expected a readable file; found ",
    )
    assert not faults(place.folder / "out", cases)


def test_a_store_file_that_cannot_be_held_is_told(place: Place) -> None:
    held = place.folder / "held.duckdb"
    foreign = place.file("foreign.duckdb", "no database" * 1_000)
    with closing(duckdb.connect(str(held))):
        cases = {
            "run, held": (
                place.run(store=f"duckdb:///{held}"),
                f"store {held}: another process holds it; stop that one",
            ),
            "replay, held": (
                ["replay", SITE, "--store", f"duckdb:///{held}", "--from", "2026-01-01", "--to", "2026-01-02"],
                f"store {held}: another process holds it; stop that one",
            ),
            "migrate, held": (["migrate", "--store", f"duckdb:///{held}"], f"store {held}: another process holds it"),
            "run, no folder": (
                place.run(store="duckdb:///nowhere/a.duckdb"),
                "store nowhere/a.duckdb: expected the folder nowhere to exist; found none",
            ),
            "run, another file": (
                place.run(store=f"duckdb:///{foreign}"),
                f"store {foreign}: expected a DuckDB file; found something else",
            ),
            "run, a server": (
                place.run(store=f"postgresql://somebody:{SECRET}@127.0.0.1/a"),
                "store: expected duckdb:///path/to/file.duckdb; found postgresql://…; mend --store",
            ),
        }
        assert not faults(place.folder / "out", cases)


def test_a_folder_that_cannot_be_written_is_told(place: Place) -> None:
    blocked = place.file("blocked", "a file where a folder should be")
    with Spool(place.folder / "held" / "run.spool", 1 << 24), Spool(place.folder / "held" / "bridge.spool", 1 << 24):
        cases = {
            "run, spool": (
                place.run("--spool", blocked),
                f"{blocked}/run.spool: expected a file that can be written; fou",
            ),
            "bridge, spool": (
                place.bridge("--spool", blocked),
                f"{blocked}/bridge.spool: expected a file that can be wri",
            ),
            "run, no such disk": (
                place.run("--spool", "/proc/spool"),
                "/proc/spool/run.spool: expected a file that can b",
            ),
            "run, spool held": (place.run("--spool", place.folder / "held"), "held/run.spool: expected "),
            "bridge, spool held": (place.bridge("--spool", place.folder / "held"), "held/bridge.spool: expected "),
            "worker, archive": (
                place.worker("--archive", blocked),
                f"archive {blocked}: expected a folder that can be written; found: File exists; mend --archive",
            ),
        }
        assert not faults(place.folder / "out", cases)


def test_a_port_that_is_taken_is_told(place: Place) -> None:
    tokens = ["--tokens", place.file("tokens", token_line("gw", "open sesame", "*") + "\n")]
    free = "expected a free address of this machine; found: Address already in use; stop what listens there, or choose"
    elsewhere = "expected a free address of this machine; found: Cannot assign requested address; stop what listens the"
    cases = {
        "run, metrics": (place.run("--metrics", place.taken), f"--metrics {place.taken}: {free}"),
        "run, http": (place.run("--http", place.taken, *tokens), f"--http {place.taken}: {free}"),
        "bridge, metrics": (place.bridge("--metrics", place.taken), f"--metrics {place.taken}: {free}"),
        "bridge, http": (place.bridge("--http", place.taken, *tokens), f"--http {place.taken}: {free}"),
        "run, not ours": (place.run("--metrics", "192.0.2.1:9464"), f"--metrics 192.0.2.1:9464: {elsewhere}"),
        "run, no port": (
            place.run("--metrics", "nonsense"),
            "--metrics: expected HOST:PORT such as 127.0.0.1:9464; foun",
        ),
        "run, no number": (
            place.run("--metrics", "h:123456"),
            "--metrics: expected HOST:PORT such as 127.0.0.1:9464; f",
        ),
        "bridge, no port": (place.bridge("--metrics", "nonsense"), "--metrics: expected HOST:PORT such as "),
    }
    assert not faults(place.folder / "out", cases)


def test_options_that_do_not_fit_together_are_told(place: Place) -> None:
    inlets, kafka = place.file("inlets.yaml", INLETS), f"Kafka at {LOOPBACK}:1"
    nothing, empty = place.folder / "nothing", place.file("empty", "\n")
    sasl = ["--kafka-security", "sasl_ssl"]
    pairs = "expected --mqtt with --inlets, or --http with --tokens, or both pairs; found "
    cases: dict[str, tuple[list[object], str]] = {
        "worker without any": (["worker"], "kilowatch worker: Missing option '--sites' (env var: 'KILOWATCH_SITES')"),
        "run without any": (["run"], "kilowatch run: Missing option '--sites' (env var: 'KILOWATCH_SITES')"),
        "bridge without any": (["bridge"], "kilowatch bridge: Missing option '--kafka' (env var: 'KILOWATCH_KAFKA')"),
        "migrate without any": (
            ["migrate"],
            "kilowatch migrate: Missing option '--store' (env var: 'KILOWATCH_STORE')",
        ),
        "an unknown option": (["doctor", "--stor", "x"], "kilowatch doctor: No such option: --stor"),
        "bridge without an inlet": (["bridge", "--kafka", "h:1", "--spool", "s"], f"bridge: {pairs}none of them"),
        "run without an inlet": (
            ["run", "--sites", SITE, "--store", "duckdb:///a", "--spool", "s"],
            f"run: {pairs}none",
        ),
        "run, half a pair": (place.run("--mqtt", "mqtt://h"), f"run: {pairs}--mqtt"),
        "run, two halves": (place.run("--mqtt", "mqtt://h", "--http", "h:1"), f"run: {pairs}--mqtt and --http"),
        "a user without SASL": (
            place.worker("--kafka-user", "u"),
            f"{kafka}: expected sasl_ssl or sasl_plaintext beside a user; found plaintext",
        ),
        "SASL without a user": (
            place.worker(*sasl),
            f"{kafka}: expected a user and a password with sasl_ssl; found none",
        ),
        "a CA without TLS": (
            place.worker("--kafka-ca", empty),
            f"{kafka}: expected ssl or sasl_ssl beside a CA; found plaintext",
        ),
        "no file with the CA": (
            place.worker("--kafka-security", "ssl", "--kafka-ca", nothing),
            f"{nothing}: expected a file of CA certificates (--kafka-ca); found: No such file or directory",
        ),
        "no CA in the file": (
            place.worker("--kafka-security", "ssl", "--kafka-ca", empty),
            f"{empty}: expected a file of CA certificates (--kafka-ca); found: [X509",
        ),
        "no file with the password": (
            place.worker(*sasl, "--kafka-user", "u", "--kafka-password-file", nothing),
            f"{nothing}: expected a file with the Kafka password; found: No such file or directory",
        ),
        "no password in the file": (
            place.worker(*sasl, "--kafka-user", "u", "--kafka-password-file", empty),
            f"{empty}: expected the Kafka password in the first line; found nothing",
        ),
        "a mechanism that we lack": (
            place.worker(*sasl, "--kafka-mechanism", "GSSAPI"),
            "--kafka-mechanism: expected SCRAM-SHA-512, SCRAM-SHA-256, PLAIN; found 'GSSAPI'",
        ),
        "no server of Kafka": (
            ["doctor", "--kafka", "nonsense"],
            "Kafka: expected host:port, several with commas; found 'nonsense'",
        ),
        "replay without a name": (
            ["replay", SITE, "--store", STORE, "--to", "kafka", "--kafka", "h:1"],
            "--to kafka needs --kafka, and --run with a name of letters, digits, _ . and -",
        ),
        "a password in the URL": (
            place.run("--mqtt", f"mqtt://u:{SECRET}@h", "--inlets", inlets),
            "--mqtt: expected the password in KILOWATCH_MQTT_PASSWORD or --mqtt-password-file; found it in the URL",
        ),
    }
    assert not faults(place.folder / "out", cases)
