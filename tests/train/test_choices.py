"""What the command offers by hand, since its --help loads no Keras, is what there is."""

from __future__ import annotations

import click

from asmnet.evaluate.ablation import cli as ablation
from asmnet.train import cli
from asmnet.train.model import ARCHITECTURES
from asmnet.train.recipes import RECIPES


def choices(command: click.Command, option: str) -> set[str]:
    """The words that an option takes."""
    kind = next(each.type for each in command.params if each.name == option)
    assert isinstance(kind, click.Choice)
    return set(kind.choices)


def test_every_recipe_is_offered_and_no_other():
    assert choices(cli.train, "recipe") == set(RECIPES)


def test_every_architecture_is_offered_and_no_other():
    assert choices(cli.train, "arch") == set(ARCHITECTURES)


def test_the_ablation_offers_recipes_that_there_are():
    assert choices(ablation.main, "recipe") <= set(RECIPES)
