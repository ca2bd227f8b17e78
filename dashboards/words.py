"""Texts in the languages that dashboards are made in."""

from __future__ import annotations

from enum import StrEnum

from streams.domain.alerts import Words

__all__ = ["Language", "Words", "said", "same"]


class Language(StrEnum):
    """A language of the dashboards."""

    ZH = "zh"
    EN = "en"


def said(words: Words, language: Language) -> str:
    """A text in a language."""
    return words.zh if language is Language.ZH else words.en


def same(text: str) -> Words:
    """A text that is the same in every language: a symbol, a name."""
    return Words(text, text)
