from pathlib import Path

import pytest
from django.core.management import load_command_class
from django.core.management.base import BaseCommand

PAGE = Path(__file__).parent.parent.parent / "docs" / "commands.md"


@pytest.mark.parametrize("name", ["clearsessions", "revoke_sessions"])
def test_the_documentation_lists_each_option(name):
    section = PAGE.read_text().partition(f"## `{name}`")[2].partition("\n## ")[0]
    ours = options_of(load_command_class("wagtail_user_sessions", name))
    assert ours - options_of(BaseCommand())
    for option in ours - options_of(BaseCommand()):
        assert f"| `{option}" in section


def options_of(command):
    parser = command.create_parser("manage.py", "command")
    return {name for action in parser._actions for name in action.option_strings}
