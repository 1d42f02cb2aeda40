"""Settings of the generator: `configs/generate.yaml` as typed rows."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from functools import cache

import msgspec

from gongkai.resources import load_yaml


class Kind(StrEnum):
    """What the documents lie in."""

    FOLDER = "folder"
    ZIP = "zip"
    TAR = "tar.zst"
    WARC = "warc.gz"
    JSONL = "jsonl.zst"
    PARQUET = "parquet"


class Places(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Characters of which names of places are made."""

    first: str
    second: str


class Shares(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How often a document is of a kind, each from 0 to 1.

    Attributes:
        contradiction: One of its numbers is made wrong.
        duplicate: It repeats an earlier document byte for byte.
        traditional: It is in Traditional script.
        page: It is HTML, where it may be plain text.
        citation: It cites a document of its city.
    """

    contradiction: float
    duplicate: float
    traditional: float
    page: float
    citation: float


class Citation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The sentence that cites a city's yearly plan, and the plan's title and number."""

    sentence: str
    title: str
    wrong_title: str
    docno: str


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything of `configs/generate.yaml`; the file explains each."""

    places: Places
    factors: tuple[int, int]
    traded: float
    shares: Shares
    years: Mapping[str, tuple[int, int]]
    chain: int
    encodings: Mapping[str, tuple[str, ...]]
    rises: Mapping[str, str]
    citation: Citation
    pages: tuple[str, ...]


@cache
def load_settings() -> Settings:
    """The shipped settings.

    Raises:
        ConfigError: The file breaks its schema.
    """
    return load_yaml("generate.yaml", Settings)
