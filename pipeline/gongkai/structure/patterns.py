"""Pattern rows of `configs/structure/`: what every structure module reads its patterns from."""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec

from gongkai.errors import ConfigError
from gongkai.resources import config_path
from gongkai.rules.table import alternatives, expand


class PatternRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One pattern over the folded view, with the lines it must match and near misses that it must not.

    Attributes:
        pattern: Regular expression; `{piece}` is replaced from the file's pieces and word lists.
        source: Where the form comes from: a standard, a house rule, pages where it was seen.
    """

    name: str
    pattern: str
    source: str
    match: tuple[str, ...]
    reject: tuple[str, ...]


def compile_row(
    row: PatternRow, file: str, pieces: Mapping[str, str], words: Mapping[str, tuple[str, ...]]
) -> re.Pattern[str]:
    """The row's compiled pattern.

    Raises:
        ConfigError: The row lacks an example of either kind, names an unknown piece, or is no expression.
    """
    where = str(config_path(file))
    if not row.match or not row.reject:
        raise ConfigError(where, f"Row {row.name} lacks a match or a reject example.", "Add one of each.")
    named = dict(pieces) | {name: alternatives(listed) for name, listed in words.items()}
    try:
        return re.compile(expand(row.pattern, named, where))
    except re.error as error:
        raise ConfigError(where, f"Row {row.name}: {error}.", "Correct its pattern.") from None
