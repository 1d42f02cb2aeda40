"""What several command groups share."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from typer.core import TyperGroup


class Mode(StrEnum):
    """What tags the text; `gongkai.merging.MODES`, without what that imports."""

    RULES = "rules"
    MODEL = "model"
    HYBRID = "hybrid"


ModelFolder = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR", help="Trained model, in place of the one that comes with gongkai.", show_default=False
    ),
]


def with_default(default: str) -> type[TyperGroup]:
    """A group in which what is no command's name is an argument of the command `default`."""

    class Group(TyperGroup):
        def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # type: ignore[override]
            of_group = not args or args[0] in self.commands or args[0] in ("--help", *ctx.help_option_names)
            return super().parse_args(ctx, args if of_group else [default, *args])

    return Group
