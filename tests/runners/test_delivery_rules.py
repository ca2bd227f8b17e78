"""Signatures, the meaning of answers, when it is tried again, and when a message is not sent."""

from __future__ import annotations

import base64
import random
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook, WebhookVerificationError

from streams.domain.alerts import NoticeKind, Severity
from streams.runners.delivery.deciding import LOOK_AGAIN, withheld
from streams.runners.delivery.outcome import DELAYS_S, JITTER, MOST_ASKED_S, Outcome, Result, next_attempt, of_answer
from streams.runners.delivery.signing import secret_bytes, signed
from streams.stores.dispatch import Circumstances, Dispatch, Message, Silence, Status

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
NAIVE = NOW.replace(tzinfo=None)
FIRST, SECOND = (f"whsec_{base64.b64encode(bytes([each]) * 32).decode()}" for each in (1, 2))


def test_the_reference_library_takes_each_signature_and_no_other() -> None:
    now, body = datetime.now(UTC), '{"said":"太熱"}'.encode()
    headers = signed("e1.0", now, body, [secret_bytes(FIRST), secret_bytes(SECOND)])
    for secret in (FIRST, SECOND):
        assert Webhook(secret).verify(body, headers) == {"said": "太熱"}
    for wrong in (b'{"said":"x"}', body + b" "):
        with pytest.raises(WebhookVerificationError):
            Webhook(FIRST).verify(wrong, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(SECOND).verify(body, signed("e1.0", now, body, [secret_bytes(FIRST)]))


@given(st.text(min_size=1), st.binary(), st.binary(min_size=24, max_size=64))
def test_a_signature_is_that_of_the_reference_library(message_id: str, body: bytes, key: bytes) -> None:
    secret = f"whsec_{base64.b64encode(key).decode()}"
    text = body.decode("latin-1")
    headers = signed(message_id, NOW, text.encode(), [secret_bytes(secret)])
    assert headers["webhook-signature"] == Webhook(secret).sign(message_id, NOW, text)


@pytest.mark.parametrize(
    "text", ["", "abc", "whsec_", "whsec_abc", "whsec_!!!!", "whsec_YWJj", FIRST.removeprefix("whsec_")]
)
def test_what_is_no_secret_is_refused_without_being_repeated(text: str) -> None:
    with pytest.raises(ValueError, match="whsec_ and base64 of 24 to 64 bytes") as told:
        secret_bytes(text)
    assert text == "" or text == "whsec_" or text not in str(told.value)


@pytest.mark.parametrize(
    ("code", "result"),
    [
        (200, Result.SENT), (202, Result.SENT), (204, Result.SENT), (301, Result.FAILED), (307, Result.FAILED),
        (400, Result.REFUSED), (401, Result.REFUSED), (404, Result.REFUSED), (408, Result.FAILED), (410, Result.GONE),
        (413, Result.REFUSED), (425, Result.FAILED), (429, Result.FAILED), (500, Result.FAILED), (503, Result.FAILED),
    ],
)  # fmt: skip
def test_a_code_means_what_standard_webhooks_says(code: int, result: Result) -> None:
    assert of_answer(code, "", None, NOW).result is result


@pytest.mark.parametrize(
    ("asked", "seconds"),
    [
        ("120", 120), (" 7 ", 7), ("0", 0), ("-5", 0), ("", 0), (None, 0), ("soon", 0), ("1e9", 0),
        ("99999999999999999999", MOST_ASKED_S), (format_datetime(NOW + timedelta(minutes=5), usegmt=True), 300),
        (format_datetime(NOW - timedelta(minutes=5), usegmt=True), 0), ("Sun, 01 Mar 2026 12:10:00", 600),
        (format_datetime(NOW + timedelta(days=9), usegmt=True), MOST_ASKED_S),
    ],
)  # fmt: skip
def test_retry_after_is_a_number_or_a_date_and_has_an_end(asked: str | None, seconds: float) -> None:
    outcome = of_answer(503, "", asked, NOW)
    assert outcome.after_s == seconds
    again = next_attempt(1, outcome, NAIVE, random.Random(1))
    assert again is not None
    assert (again - NAIVE).total_seconds() >= max(seconds, DELAYS_S[0])


@given(st.randoms(use_true_random=False))
def test_it_is_tried_again_for_about_a_day_and_then_no_more(chance: random.Random) -> None:
    moment, failed = NAIVE, Outcome(Result.FAILED, "")
    for failures, delay_s in enumerate(DELAYS_S, start=1):
        again = next_attempt(failures, failed, moment, chance)
        assert again is not None
        assert delay_s <= (again - moment).total_seconds() <= delay_s * (1 + JITTER)
        moment = again
    assert next_attempt(len(DELAYS_S) + 1, failed, moment, chance) is None
    assert timedelta(hours=24) < moment - NAIVE < timedelta(hours=36)


def dispatch(kind: NoticeKind, status: Status = Status.WAITING, severity: Severity = Severity.WARNING) -> Dispatch:
    data = {"severity": severity.value, "rule": "warm", "subject": "depot/t", "asset": "room"}
    return Dispatch(Message("e.1", "e", "depot", kind, 1, NAIVE, NAIVE, b"", data), "ops", 0, status)


def found(**given: object) -> Circumstances:
    plain = {
        "channel_reason": None, "is_acknowledged": False, "is_closed": False, "earlier": 1, "withheld": 0,
        "is_later": False, "silences": [], "parents": [],
    }  # fmt: skip
    return Circumstances(**{**plain, **given})  # type: ignore[arg-type]


HOUR = timedelta(hours=1)
NOW_SILENT = Silence("s1", NAIVE - HOUR, NAIVE + HOUR, "chen")
ENDS_SOON = Silence("s2", NAIVE - HOUR, NAIVE + LOOK_AGAIN / 2, "chen")
WAS_SILENT = Silence("s1", NAIVE - 2 * HOUR, NAIVE - HOUR, "chen")
OPENED, REMINDED, ESCALATED, CLOSED = NoticeKind
PARENT = {"parents": [("p", Severity.WARNING)]}


@pytest.mark.parametrize("kind", NoticeKind)
def test_what_nothing_is_in_the_way_of_is_sent(kind: NoticeKind) -> None:
    assert withheld(dispatch(kind), found(), NAIVE) is None


@pytest.mark.parametrize(
    ("one", "around", "status", "again"),
    [
        (dispatch(OPENED), found(channel_reason="HTTP 410"), Status.DEAD, None),
        (dispatch(REMINDED), found(is_acknowledged=True), Status.ACKNOWLEDGED, None),
        (dispatch(ESCALATED), found(is_acknowledged=True), Status.ACKNOWLEDGED, None),
        (dispatch(OPENED), found(silences=[NOW_SILENT]), Status.SILENCED, NAIVE + LOOK_AGAIN),
        (dispatch(OPENED), found(silences=[ENDS_SOON]), Status.SILENCED, ENDS_SOON.ends_at),
        (dispatch(OPENED), found(silences=[NOW_SILENT], is_closed=True), Status.SILENCED, None),
        (dispatch(OPENED), found(silences=[WAS_SILENT], is_closed=True), Status.SILENCED, None),
        (dispatch(REMINDED), found(silences=[NOW_SILENT]), Status.SILENCED, None),
        (dispatch(REMINDED), found(silences=[WAS_SILENT]), Status.SILENCED, None),
        (dispatch(CLOSED), found(silences=[NOW_SILENT]), Status.SILENCED, NAIVE + LOOK_AGAIN),
        (dispatch(CLOSED), found(silences=[NOW_SILENT], withheld=1), Status.UNTOLD, None),
        (dispatch(CLOSED), found(withheld=1), Status.UNTOLD, None),
        (dispatch(OPENED), found(**PARENT), Status.GROUPED, NAIVE + LOOK_AGAIN),
        (dispatch(OPENED), found(is_closed=True, **PARENT), Status.GROUPED, None),
        (dispatch(REMINDED), found(**PARENT), Status.GROUPED, None),
        (dispatch(OPENED, Status.GROUPED), found(is_closed=True), Status.GROUPED, None),
        (dispatch(OPENED, Status.SILENCED), found(is_closed=True), Status.SILENCED, None),
        (dispatch(OPENED, Status.GROUPED), found(is_later=True), Status.GROUPED, None),
    ],
)
def test_what_something_is_in_the_way_of_is_not(
    one: Dispatch, around: Circumstances, status: Status, again: datetime | None
) -> None:
    record = withheld(one, around, NAIVE)
    assert record is not None
    assert (record.status, record.next_at) == (status, again)
    assert record.reason


@pytest.mark.parametrize(
    ("one", "around"),
    [
        (dispatch(OPENED), found(is_acknowledged=True)),
        (dispatch(CLOSED), found(is_acknowledged=True)),
        (dispatch(CLOSED), found(earlier=2, withheld=1)),
        (dispatch(CLOSED), found(earlier=0)),
        (dispatch(CLOSED), found(**PARENT)),
        (dispatch(OPENED), found(silences=[WAS_SILENT])),
        (dispatch(OPENED, Status.SILENCED), found(silences=[WAS_SILENT])),
        (dispatch(OPENED, severity=Severity.CRITICAL), found(**PARENT)),
        (dispatch(OPENED, Status.GROUPED), found()),
    ],
)
def test_what_is_over_is_in_nobodys_way(one: Dispatch, around: Circumstances) -> None:
    assert withheld(one, around, NAIVE) is None
