"""The page over HTTP: what it answers, and whom it does not answer."""

from __future__ import annotations

import http.client
import json
import time
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from jobs.page.web import check_address
from streams.domain.findings import IngestError
from tests.page.conftest import FROM_MS, TO_MS, served
from tests.page.test_dashboards import board, panel, written

ASKED = {"from": FROM_MS, "to": TO_MS, "points": 800, "values": {"site": ["cold_chain_depot"], "asset": ["$__all"]}}
OVERVIEW = "/api/dashboards/en/test-overview-en"
PLAIN = {"Content-Type": "application/json"}
Answer = tuple[int, dict[str, str], Any]


def ask(
    page: str,
    path: str,
    content: Any = None,
    headers: dict[str, str] | None = None,
    method: str = "",
    limit_s: float = 60.0,
) -> Answer:
    """Status, headers and content of an answer; JSON is read."""
    parts = urlsplit(page)
    with closing(http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=limit_s)) as line:
        body = None if content is None else content if isinstance(content, bytes) else json.dumps(content).encode()
        line.request(method or ("GET" if body is None else "POST"), path, body, PLAIN if headers is None else headers)
        answer = line.getresponse()
        told = {name.lower(): value for name, value in answer.getheaders()}
        text = answer.read()
        return answer.status, told, json.loads(text) if "json" in told.get("content-type", "") else text


def frames(page: str, number: int, **other: Any) -> list[dict[str, Any]]:
    status, _, told = ask(page, f"{OVERVIEW}/panels/{number}", {**ASKED, **other})
    assert status == 200, told
    return list(told["frames"])


def test_the_page_tells_its_dashboards_and_where_a_store_at_rest_ends(page: str) -> None:
    status, _, told = ask(page, "/api/page")
    assert status == 200
    assert told["languages"] == ["en", "zh"]
    assert [each["uid"] for each in told["dashboards"]["zh"]] == ["test-asset-zh", "test-overview-zh"]
    assert TO_MS - 3_600_000 <= told["ends_ms"] <= TO_MS


def test_a_store_that_goes_on_has_no_end(own_store: str) -> None:
    with served(own_store, is_live=True) as live:
        assert ask(live, "/api/page")[2]["ends_ms"] is None


def test_variables_have_options_and_a_choice(page: str) -> None:
    status, _, told = ask(page, f"{OVERVIEW}/variables", {**ASKED, "values": {"site": ["machine_builder_pv"]}})
    site, asset = told["variables"]
    assert status == 200
    assert [each["value"] for each in site["options"]] == ["cold_chain_depot", "machine_builder_pv"]
    assert site["values"] == ["machine_builder_pv"]
    assert "pv" in [each["value"] for each in asset["options"]]
    assert asset["values"] == ["$__all"]


def test_a_panel_has_frames_that_follow_range_and_variables(page: str) -> None:
    (whole,) = frames(page, 5)
    assert [each["name"] for each in whole["schema"]["fields"]] == ["Time", "demand_kw", "contract_kw"]
    times = whole["data"]["values"][0]
    assert times == sorted(times)
    assert len(times) == 2 * 96
    (half,) = frames(page, 5, to=FROM_MS + 86_400_000 - 1)
    assert len(half["data"]["values"][0]) == 96
    (wide,) = frames(page, 6)
    assert {each["labels"]["asset"] for each in wide["schema"]["fields"][1:]} >= {"depot", "chiller-1"}
    (one,) = frames(page, 6, values={"site": ["cold_chain_depot"], "asset": ["chiller-1"]})
    assert [each.get("labels") for each in one["schema"]["fields"]] == [None, {"asset": "chiller-1"}]


def test_the_interval_follows_the_width_and_not_below_that_of_the_panel(page: str) -> None:
    (narrow,) = frames(page, 6, points=12)
    (wide,) = frames(page, 6, points=2_000)
    assert [len(each["data"]["values"][0]) for each in (narrow, wide)] == [17, 48]


def test_every_panel_that_can_be_asked_answers(page: str) -> None:
    assert [bool(frames(page, number)[0]["schema"]["fields"]) for number in range(1, 9)] == [True] * 8
    assert frames(page, 9)[0]["schema"]["fields"] == []


def test_what_the_store_says_is_told_as_one_error(page: str) -> None:
    status, _, told = ask(page, f"{OVERVIEW}/panels/11", ASKED)
    assert status == 422
    assert "no_such_column" in told["error"]


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"site": ["x' union select 1 --"]}, "variable site: expected one of its options"),
        ({"site": ["cold_chain_depot"], "asset": ["a') or 1=1 --"]}, "variable asset: expected one of its options"),
    ],
)
def test_a_value_that_is_no_option_reaches_no_statement(page: str, values: dict[str, list[str]], said: str) -> None:
    status, _, told = ask(page, f"{OVERVIEW}/panels/5", {**ASKED, "values": values})
    assert (status, said in told["error"]) == (422, True)


@pytest.mark.parametrize(
    "content",
    [
        {},
        [],
        {"from": "now-1h", "to": 1},
        {"from": 2, "to": 1},
        {"from": 1, "to": 10**18},
        {"from": 1, "to": 2, "points": 0},
        {"from": True, "to": 2},
        {"from": 1, "to": 2, "values": {"site": "depot"}},
        {"from": 1, "to": 2, "values": [1]},
    ],
)
def test_a_question_of_another_form_is_refused(page: str, content: Any) -> None:
    assert ask(page, f"{OVERVIEW}/panels/5", content)[0] == 422


def test_a_browser_cannot_bring_a_statement(page: str) -> None:
    asked = {**ASKED, "rawSql": "select 1", "sql": "select 1", "queries": [{"rawSql": "select 1"}]}
    assert ask(page, f"{OVERVIEW}/panels/5", asked)[2]["frames"][0]["schema"]["fields"][1]["name"] == "demand_kw"
    for path in ("/api/query", "/api/ds/query", "/api/dashboards/en/test-overview-en"):
        assert ask(page, path, {"rawSql": "select 1"})[0] in (404, 405)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_there_is_nothing_to_write(page: str, method: str) -> None:
    for path in ("/", "/api/page", OVERVIEW, "/assets/page.js", "/api/dashboards", "/api/annotations"):
        assert ask(page, path, {}, method=method)[0] in (404, 405), path


@pytest.mark.parametrize(
    "path",
    [
        f"{OVERVIEW}/panels/99",
        f"{OVERVIEW}/panels/x",
        f"{OVERVIEW}/panels/{'9' * 5_000}",
        f"{OVERVIEW}/panels/%D9%A5",
        "/api/dashboards/en/none/panels/1",
    ],
)
def test_what_is_not_there_is_told(page: str, path: str) -> None:
    status, _, told = ask(page, path, ASKED)
    assert status == 404
    assert "expected the" in told["error"]


def test_a_body_must_be_json_and_small(page: str) -> None:
    path = f"{OVERVIEW}/panels/5"
    assert ask(page, path, ASKED, {"Content-Type": "text/plain"})[0] == 415
    assert ask(page, path, b"{")[0] == 400
    assert ask(page, path, b'{"values": {"site": ["' + b"x" * 70_000 + b'"]}}')[0] == 413


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:{port}", "127.0.0.1", "localhost:1", "", "127.0.0.1.evil:{port}"]
)
def test_a_host_by_which_the_page_is_not_known_is_refused(page: str, host: str) -> None:
    for path in ("/", "/api/page", "/assets/page.js"):
        status, _, told = ask(page, path, headers={"Host": host.format(port=urlsplit(page).port)})
        assert status == 421, (path, host)
        assert "expected a Host" in told["error"]


@pytest.mark.parametrize("host", ["localhost:{port}", "LOCALHOST:{port}", "127.0.0.1:{port}", "[::1]:{port}"])
def test_the_names_of_this_machine_are_known(page: str, host: str) -> None:
    assert ask(page, "/api/page", headers={"Host": host.format(port=urlsplit(page).port)})[0] == 200


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_pages_of_others_may_not_ask(page: str, site: str) -> None:
    assert ask(page, "/api/page", headers={"Sec-Fetch-Site": site})[0] == 403
    assert ask(page, f"{OVERVIEW}/panels/5", ASKED, {**PLAIN, "Sec-Fetch-Site": site})[0] == 403
    assert ask(page, "/", headers={"Sec-Fetch-Site": site})[0] == 200  # a link to it


def test_every_answer_has_a_strict_policy(page: str) -> None:
    for path in ("/", "/d/any/thing", "/api/page", "/assets/page.js", "/nothing"):
        told = ask(page, path)[1]
        policy = dict(each.strip().split(" ", 1) for each in told["content-security-policy"].split(";"))
        assert policy["default-src"] == "'none'"
        assert policy["script-src"] == policy["connect-src"] == "'self'"
        assert policy["frame-ancestors"] == policy["form-action"] == policy["base-uri"] == "'none'"
        assert (told["x-content-type-options"], told["referrer-policy"]) == ("nosniff", "no-referrer")
        assert "access-control-allow-origin" not in told


def test_files_beside_the_page_are_none_of_its_own(page: str) -> None:
    for path in ("/assets/../web.py", "/assets/%2e%2e%2fweb.py", "/assets/none.js", "/assets/"):
        assert ask(page, path)[0] == 404, path
    assert ask(page, "/assets/licences.txt")[0] == 200


SLOW = "select count(*) as n from range(1000000000) a, range(1000) b where a.range % 7 = b.range"


def test_what_a_browser_does_not_wait_for_is_ended(own_store: str, tmp_path: Path) -> None:
    slow = panel(1)
    slow["targets"][0]["rawSql"] = SLOW
    path = "/api/dashboards/en/one/panels"
    with served(own_store, written(tmp_path, board(slow, panel(2))), limit_s=600) as page:
        for _ in range(3):  # more than there are connections
            with pytest.raises(TimeoutError):
                ask(page, f"{path}/1", {"from": 1, "to": 2}, limit_s=0.5)
        assert ask(page, f"{path}/2", {"from": 1, "to": 2})[0] == 200


def test_what_takes_too_long_is_ended_and_the_next_question_answered(own_store: str, tmp_path: Path) -> None:
    slow = panel(1)
    slow["targets"][0]["rawSql"] = SLOW
    with served(own_store, written(tmp_path, board(slow, panel(2))), limit_s=0.5) as page:
        begun = time.monotonic()
        path = "/api/dashboards/en/one/panels"
        for _ in range(3):  # more than there are connections
            status, _, told = ask(page, f"{path}/1", {"from": 1, "to": 2})
            assert status == 422
            assert "expected an answer within 0.5 s" in told["error"]
        assert ask(page, f"{path}/2", {"from": 1, "to": 2})[0] == 200
        assert time.monotonic() - begun < 20


@pytest.mark.parametrize(
    "statement",
    [
        "insert into op.unit values ('x', 1, 1)",
        "delete from op.unit",
        "select 1; delete from op.unit",
        "with a as (select 1) delete from op.unit",
        "copy (select 1) to 'out.csv'",
        "attach 'other.duckdb' as other",
        "set threads = 1",
        "pragma database_size",
        "select * from read_csv('/etc/passwd')",
    ],
)
def test_a_statement_that_does_more_than_read_the_store_is_refused(
    own_store: str, tmp_path: Path, statement: str
) -> None:
    wrong = panel(1)
    wrong["targets"][0]["rawSql"] = statement
    with served(own_store, written(tmp_path, board(wrong))) as page:
        assert ask(page, "/api/dashboards/en/one/panels/1", {"from": 1, "to": 2})[0] == 422


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "::", "energy.example.com"])
def test_an_address_that_others_reach_must_be_asked_for(host: str) -> None:
    with pytest.raises(IngestError, match="expected a loopback address"):
        check_address("--listen", host, ())
    check_address("--listen", host, ["energy.example.com"])


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "localhost", "::1"])
def test_loopback_needs_no_word(host: str) -> None:
    check_address("--listen", host, ())
