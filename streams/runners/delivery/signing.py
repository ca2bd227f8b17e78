"""Signatures of webhooks, by Standard Webhooks 1.0 (https://github.com/standard-webhooks/standard-webhooks)."""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Sequence
from datetime import datetime
from typing import Final

PREFIX: Final = "whsec_"
LEAST_BYTES, MOST_BYTES = 24, 64


def secret_bytes(text: str) -> bytes:
    """The key that a secret stands for; ValueError, which does not repeat it, for what is no secret."""
    try:
        key = base64.b64decode(text.removeprefix(PREFIX), validate=True) if text.startswith(PREFIX) else b""
    except binascii.Error:
        key = b""
    if not LEAST_BYTES <= len(key) <= MOST_BYTES:
        raise ValueError(f"{PREFIX} and base64 of {LEAST_BYTES} to {MOST_BYTES} bytes")
    return key


def signed(message_id: str, moment: datetime, body: bytes, keys: Sequence[bytes]) -> dict[str, str]:
    """The headers of a message sent at a moment; a signature for each key, so that a receiver can change its own."""
    timestamp = str(int(moment.timestamp()))
    content = f"{message_id}.{timestamp}.".encode() + body
    signatures = (base64.b64encode(hmac.digest(key, content, "sha256")).decode() for key in keys)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(f"v1,{signature}" for signature in signatures),
    }
