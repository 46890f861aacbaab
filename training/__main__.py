"""`tocsin-train`: the offline commands, one a file, each imported only when it is called."""

from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

COMMANDS = {
    "adapter": ("training.commands.adapter:command", "Train the intent adapter of the default encoder."),
    "backtest": ("training.commands.backtest:command", "Run the detector alone on a table of counts."),
    "leaning": ("training.commands.leaning:command", "Fit what tells that a thing went well from that it went ill."),
    "retrain": ("training.commands.retrain:command", "Learn a new product category, and say what would change."),
    "hindsight": ("training.commands.hindsight:command", "Say when a month's surges would have been noticed by whom."),
    "shorten": ("training.commands.shorten:command", "Leave layers of the encoder out, and make up for them."),
    "synthesize": ("training.commands.synthesize:command", "Write an invented week of after-sales messages."),
}
"""Name, where the function lies, and what it does in a line. Add a command by adding a row."""


class _Late(TyperCommand):
    """A command known by name and help alone, so that ``--help`` imports none of them."""

    def __init__(self, name: str, target: str, summary: str) -> None:
        super().__init__(name, help=summary)
        self._target = target

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> Any:
        module, function = self._target.split(":")
        app = typer.Typer(add_completion=False)
        app.command(self.name)(getattr(import_module(module), function))
        return typer.main.get_command(app).make_context(info_name, args, parent, **extra)


def build() -> TyperGroup:
    """The command group, with nothing imported yet."""
    late = [_Late(name, target, summary) for name, (target, summary) in COMMANDS.items()]
    about = "Train, try and judge Tocsin offline."
    return TyperGroup(name="tocsin-train", commands=late, help=about, no_args_is_help=True)


def main() -> None:
    """Run the command that the arguments name."""
    build()(prog_name="tocsin-train")


if __name__ == "__main__":
    main()
