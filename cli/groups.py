"""A command group whose main command needs no name: `tool ARGUMENTS` and `tool other ARGUMENTS`."""

from __future__ import annotations

import click

__all__ = ["DefaultGroup", "MainCommand"]


class DefaultGroup(click.Group):
    """Runs the command of its own name when the first argument names no command."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        named = bool(args) and args[0] in self.commands
        return super().parse_args(ctx, args if named else [str(self.name), *args])


class _Nameless(click.Context):
    """Shows the usage under the group's own name, as it is typed."""

    @property
    def command_path(self) -> str:
        return self.parent.command_path if self.parent else super().command_path


class MainCommand(click.Command):
    """The command that needs no name."""

    context_class = _Nameless
