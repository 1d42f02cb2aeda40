"""SQL in files that begin with what they are for, and name their parameters."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files

import msgspec


class Parameter(msgspec.Struct, frozen=True, kw_only=True):
    """A parameter of a named query: its meaning, and its default, None for none.

    Attributes:
        required: Whether the query needs a value.
    """

    name: str
    meaning: str
    required: bool
    default: str | None = None


class Statement(msgspec.Struct, frozen=True, kw_only=True):
    """One file: `-- ` lines that say what it is for and, as `-- name: meaning = default`, its parameters.

    A parameter without `=` is required; with nothing behind the `=` it may be left out.
    """

    name: str
    about: str
    parameters: tuple[Parameter, ...]
    sql: str


@cache
def statements(folder: str) -> Mapping[str, Statement]:
    """The files of a folder of the package (`views/sql`, `archive/queries` …) by name, in the order of their names."""
    found = files("gongkai").joinpath(folder).iterdir()
    sources = sorted((file for file in found if file.name.endswith(".sql")), key=lambda file: file.name)
    read = [_statement(file.name.removesuffix(".sql"), file.read_text(encoding="utf-8")) for file in sources]
    return {statement.name: statement for statement in read}


def _statement(name: str, sql: str) -> Statement:
    head = [line.removeprefix("-- ") for line in sql.splitlines() if line.startswith("-- ")]
    parameters = [_parameter(line) for line in head if f"${line.partition(':')[0]}" in sql]
    about = " ".join(line for line in head if f"${line.partition(':')[0]}" not in sql)
    return Statement(name=name, about=about, parameters=tuple(parameters), sql=sql)


def _parameter(line: str) -> Parameter:
    name, _, rest = line.partition(": ")
    meaning, optional, default = rest.partition(" =")
    return Parameter(name=name, meaning=meaning, required=not optional, default=default.strip() or None)
