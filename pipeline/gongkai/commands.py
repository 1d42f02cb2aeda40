"""What several command groups share."""

from __future__ import annotations

import typer
from typer.core import TyperGroup


def with_default(default: str) -> type[TyperGroup]:
    """A group in which what is no command's name is an argument of the command `default`."""

    class Group(TyperGroup):
        def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # type: ignore[override]
            of_group = not args or args[0] in self.commands or args[0] in ("--help", *ctx.help_option_names)
            return super().parse_args(ctx, args if of_group else [default, *args])

    return Group
