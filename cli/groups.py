"""Command groups: sub-commands that load when they are called, and a main one without a name."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

import click

__all__ = ["DefaultGroup", "LazyGroup", "MainCommand"]


class LazyGroup(click.Group):
    """A group whose commands are imported when they are called.

    Args:
        lazy: by name, "module:attribute" of the command and its line in the group's help.
            What is not installed is then missed by the command that needs it, and by no other.
    """

    def __init__(
        self, *args: Any, lazy: Mapping[str, tuple[str, str]] | None = None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.lazy = dict(lazy or {})

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: D102
        return [*self.lazy, *super().list_commands(ctx)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: D102
        if cmd_name not in self.lazy:
            return super().get_command(ctx, cmd_name)
        module, _, attribute = self.lazy[cmd_name][0].partition(":")
        return getattr(importlib.import_module(module), attribute)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: D102
        own = ((name, super(LazyGroup, self).get_command(ctx, name)) for name in self.commands)
        rows = [(name, line) for name, (_, line) in self.lazy.items()]
        rows += [(name, command.get_short_help_str()) for name, command in own if command]
        with formatter.section("Commands"):
            formatter.write_dl(rows)


class DefaultGroup(LazyGroup):
    """Runs the command of its own name when the first argument names no command."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:  # noqa: D102
        named = bool(args) and args[0] in self.list_commands(ctx)
        return super().parse_args(ctx, args if named else [str(self.name), *args])


class _Nameless(click.Context):
    """Shows the usage under the group's own name, as it is typed."""

    @property
    def command_path(self) -> str:
        return self.parent.command_path if self.parent else super().command_path


class MainCommand(click.Command):
    """The command that needs no name."""

    context_class = _Nameless
