"""A channels file: what it becomes, and one clear line for whatever is wrong with it. No message holds a secret."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest

from streams.catalog.folder import SiteFolder
from streams.domain.findings import CatalogError, Severity
from streams.domain.site import Site
from streams.runners.delivery.channels import examined, read_channels
from streams.runners.delivery.fitting import misfits
from tests.runners.deliveries import ENVIRONMENT, SECRETS

GOOD = """\
channels:
  - {name: ops, kind: webhook, url: 'https://8.8.8.8/hook', secret: [{env: HOOK}, {file: old}]}
  - {name: line, kind: apprise, url: {env: LINE}, language: zh}
  - {name: page, kind: grafana, url: 'https://8.8.8.8/', token: {env: GRAFANA}}
routes:
  - {channels: [ops], escalated: [line], severities: [critical], kinds: [opened, closed], sites: ['depot*'], rules: [a]}
  - {channels: [page]}
"""
LINE = "line://token-of-line-123456/user-of-line-654321"
KEPT = {**ENVIRONMENT, "LINE": LINE}


def written(folder: Path, text: str) -> Path:
    file = folder / "channels.yaml"
    file.write_text(text, encoding="utf-8")
    (folder / "old").write_text(f"{SECRETS[1]}\n")
    (folder / "empty").touch()
    (folder / "none").write_text("whsec_too-short\n")
    return file


@pytest.fixture(autouse=True)
def _names(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name server of the test's own: one name is of a private network."""
    known = socket.getaddrinfo

    def found(host: str, *more: Any, **named: Any) -> Any:
        return known("10.9.8.7" if host == "private.test" else host, *more, **named)

    monkeypatch.setattr(socket, "getaddrinfo", found)


def test_a_sound_file_is_read_with_its_secrets_which_are_shown_nowhere(tmp_path: Path) -> None:
    found = read_channels(written(tmp_path, GOOD), KEPT)
    assert list(found.by_name) == ["ops", "line", "page"]
    assert len(found.by_name["ops"].keys) == 2
    assert found.by_name["page"].url == "https://8.8.8.8"
    assert {*SECRETS, ENVIRONMENT["GRAFANA"], LINE, "token-of-line-123456"} <= found.hidden
    assert not [secret for secret in found.hidden if secret in repr(found)]


def test_the_configuration_of_a_channel_is_another_one_when_address_or_secret_is(tmp_path: Path) -> None:
    def digests(text: str, **more: str) -> dict[str, str]:
        found = read_channels(written(tmp_path, text), {**KEPT, **more})
        return {name: each.sha256 for name, each in found.by_name.items()}

    plain = digests(GOOD)
    assert digests(GOOD.replace("language: zh", "language: en")) == plain
    for changed in (digests(GOOD.replace("8.8.8.8/hook", "8.8.8.8/new")), digests(GOOD, HOOK=SECRETS[1])):
        assert {name for name in plain if plain[name] != changed[name]} == {"ops"}


SECRET = "whsec_bm90LXRvLWJlLXRvbGQtYW55d2hlcmUtZXZlcg=="
MISTAKES = {
    "unknown channel": (("channels: [page]", "channels: [pag]"), 7, "unknown channel", "did you mean 'page'?"),
    "unknown escalated": (("escalated: [line]", "escalated: [lime]"), 6, "unknown channel", "did you mean 'line'?"),
    "secret not set": (("{env: HOOK}", "{env: NOPE}"), 2, "missing secret", "variable NOPE; found nothing"),
    "no such file": (("{file: old}", "{file: new}"), 2, "missing secret", "file new; found No such file or directory"),
    "no secret": (("secret: [{env: HOOK}, {file: old}]", "allow_private: false"), 2, "missing key", "{env: NAME}"),
    "not a secret": (("{env: HOOK}", "{env: GRAFANA}"), 2, "no secret of Standard Webhooks", "whsec_ and base64"),
    "secret in the file": (("[{env: HOOK}, {file: old}]", SECRET), 2, "a secret stands in no file", "found the secret"),
    "secrets in the file": (("{env: HOOK}", SECRET), 2, "a secret stands in no file", "found the secret itself"),
    "token in the file": (("{env: GRAFANA}", SECRET), 4, "a secret stands in no file", "found the secret itself"),
    "apprise in the file": (
        ("{env: LINE}", f"'line://{SECRET}/u'"),
        3,
        "a secret stands in no file",
        "found the secret",
    ),
    "private": (("https://8.8.8.8/hook", "https://10.1.2.3/hook"), 2, "refused address", "10.1.2.3 (private)"),
    "loopback": (("https://8.8.8.8/hook", "http://localhost:80/"), 2, "refused address", "127.0.0.1 (loopback)"),
    "name": (("name: page", "name: Page one"), 4, "bad value", "lower-case letters, digits, _ and -; found 'Page one'"),
    "variable": (
        ("{env: HOOK}", "{env: A B}"),
        2,
        "bad value",
        "such as KILOWATCH_HOOK_SECRET; found 'A B'",
    ),
    "no secrets": (("secret: [{env: HOOK}, {file: old}]", "secret: []"), 2, "bad value", "expected at least one"),
    "empty secret": (("{file: old}", "{file: empty}"), 2, "missing secret", "a secret in file empty; found nothing"),
    "secret of a file": (("{file: old}", "{file: none}"), 2, "no secret of Standard Webhooks in file none", "whsec_"),
    "empty route": (("channels: [page]", "channels: []"), 7, "bad value", "expected at least one; found a list"),
    "empty words": (("rules: [a]", "rules: []"), 6, "bad value", "expected at least one; found a list"),
    "space": (("https://8.8.8.8/hook", "https://8.8.8.8 /hook"), 2, "bad value", "found https://8.8.8.8 /hook"),
    "link-local": (("https://8.8.8.8/hook", "https://169.254.169.254/"), 2, "refused address", "(link-local)"),
    "a private name": (("https://8.8.8.8/hook", "https://private.test/"), 2, "refused address", "10.9.8.7 (private)"),
    "scheme": (("https://8.8.8.8/hook", "ftp://8.8.8.8/hook"), 2, "bad value", "found ftp://8.8.8.8/hook"),
    "password": (
        ("https://8.8.8.8/hook", f"https://u:{SECRET[:9]}@8.8.8.8/"),
        2,
        "a secret stands in no address",
        "user",
    ),
    "kind": (("kind: grafana", "kind: grafanna"), 4, "not one of the allowed words", "did you mean 'grafana'?"),
    "severity": (("[critical]", "[critcal]"), 6, "not one of the allowed words", "did you mean 'critical'?"),
    "notice kind": (("[opened, closed]", "[open]"), 6, "not one of the allowed words", "did you mean 'opened'?"),
    "key": (("language: zh", "langage: zh"), 3, "unknown key", "did you mean 'language'?"),
    "foreign key": (
        ("{env: GRAFANA}}", "{env: GRAFANA}, secret: {env: HOOK}}"),
        4,
        "not a key of kind grafana",
        "token",
    ),
    "twice": (("name: page", "name: ops"), 4, "name used twice", ""),
    "no route": (("routes:\n", "routes: []\nroute:\n"), 5, "routes: none", "at least one"),
    "both places": (("{env: HOOK}", "{env: HOOK, file: old}"), 2, "bad value", "env or file, one of the two"),
    "apprise": (("{env: LINE}", "{env: HOOK}"), 3, "bad value", "an address that apprise knows"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_told_with_its_line(name: str, tmp_path: Path) -> None:
    (before, after), line, sentence, detail = MISTAKES[name]
    assert before in GOOD
    file = written(tmp_path, GOOD.replace(before, after))
    findings = examined(file, KEPT)[0]
    told = [str(each) for each in findings if sentence in each.sentence]
    assert len(told) == 1, findings
    assert told[0].startswith(f"{file}:{line}: ")
    assert detail in told[0]
    more = {
        "kind": {"unknown channel"},
        "name": {"unknown channel"},
        "no route": {"unknown key"},
        "twice": {"unknown channel"},
    }.get(name, set())
    assert not [each for each in findings if str(each) not in told and not any(word in str(each) for word in more)]
    with pytest.raises(CatalogError) as error:
        read_channels(file, KEPT)
    assert not [each for each in (*KEPT.values(), SECRET, SECRET[:9]) if each in str(error.value)]


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    text = GOOD.replace("[page]", "[pag]").replace("{env: HOOK}", "{env: NOPE}").replace("8.8.8.8/hook", "[::1]/hook")
    assert len(examined(written(tmp_path, text), KEPT)[0]) == 3


def test_an_address_that_cannot_be_looked_up_now_is_told_and_stops_nobody(tmp_path: Path) -> None:
    """The name server may be away as well."""
    file = written(tmp_path, GOOD.replace("https://8.8.8.8/hook", "https://no-such-host.invalid/hook"))
    (finding,) = examined(file, KEPT)[0]
    assert str(finding) == (
        f"{file}:2: channels[ops].url: no address now: expected a name that resolves to an address; "
        "found no-such-host.invalid"
    )
    assert read_channels(file, KEPT).warnings == (finding,)


def test_a_channel_that_no_route_leads_to_is_told_and_stops_nobody(tmp_path: Path) -> None:
    file = written(tmp_path, GOOD.replace(", escalated: [line]", ""))
    (finding,) = examined(file, KEPT)[0]
    assert str(finding) == (
        f"{file}:3: channels[line]: no route leads to it: expected a route with this channel; found none"
    )
    assert finding.severity is Severity.WARNING
    assert read_channels(file, KEPT).warnings == (finding,)
    assert read_channels(written(tmp_path, GOOD), KEPT).warnings == ()


NOBODY = ": nobody is told when it opens: expected a route that takes it; found none"
RULES = {"depot": {"too_warm": "critical", "quiet": "info"}, "plant_1": {"too_warm": "warning"}}


def sites(folder: Path) -> list[Site]:
    """Sites with these rules."""
    folder.mkdir()
    for name, rules in RULES.items():
        (folder / f"{name}.yaml").write_text(
            f"site: {name}\nkind: cold_chain\ntime_zone: Asia/Taipei\nstarts_on: 2026-01-01\ngwp_set: AR5\n"
            "assets: [{name: room}]\npoints: [{name: temp, asset: room, kind: gauge, unit: Cel}]\nrules:\n"
            + "".join(f"  - {{name: {each}, kind: threshold, points: temp, above: 8, severity: {severity}}}\n"
                      for each, severity in rules.items())
        )  # fmt: skip
    return list(SiteFolder.of(folder).sites.values())


FITTING = {
    "sites: [depot, 'plant_*']": [],
    "rules: ['too_*', quiet]": [],
    "kinds: [opened], severities: [info, warning, critical]": [],
    "sites: [depo, plant_1, depot]": [
        ":4: routes[0].sites: nothing fits: expected a site; found depo (did you mean 'depot'?)",
    ],
    "sites: ['*', 'x*']": [":4: routes[0].sites: nothing fits: expected a site; found x*"],
    "rules: [too_warm, quit]": [
        ":4: routes[0].rules: nothing fits: expected a rule of these sites; found quit (did you mean 'quiet'?)",
        f": rule quiet of depot{NOBODY}",
    ],
    "sites: [plat_1]": [
        ":4: routes[0].sites: nothing fits: expected a site; found plat_1 (did you mean 'plant_1'?)",
        *(f": rule {rule}{NOBODY}" for rule in ("too_warm of depot", "quiet of depot", "too_warm of plant_1")),
    ],
    "severities: [info, warning]": [f": rule too_warm of depot{NOBODY}"],
    "kinds: [closed], sites: [depot]": [
        f": rule {rule}{NOBODY}" for rule in ("too_warm of depot", "quiet of depot", "too_warm of plant_1")
    ],
}


@pytest.mark.parametrize("words", FITTING)
def test_routes_that_fit_nothing_and_rules_that_no_route_takes_are_told(words: str, tmp_path: Path) -> None:
    ops = GOOD.splitlines(keepends=True)[:2]
    file = written(tmp_path, "".join([*ops, "routes:\n", f"  - {{channels: [ops], {words}}}\n"]))
    found = misfits(file, read_channels(file, KEPT).routes, sites(tmp_path / "sites"))
    assert [str(each).removeprefix(str(file)) for each in found] == FITTING[words]
    assert {each.severity for each in found} <= {Severity.WARNING}


@pytest.mark.parametrize(
    "text", ["", "channels", "channels: 1\nroutes: 2\n", "channels: [1]\nroutes: []\n", "- a\n", "{"]
)
def test_what_is_no_channels_file_is_findings(text: str, tmp_path: Path) -> None:
    assert examined(written(tmp_path, text), KEPT)[0]
    assert examined(tmp_path / "missing.yaml", KEPT)[0]
