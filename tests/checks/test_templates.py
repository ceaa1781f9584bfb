"""Check of the site's own templates in the place of the package's."""

import pytest
from django.template.loader import get_template

from tests.checks.messages import run
from wagtail_user_sessions.checks.templates import LIST_TEMPLATE


@pytest.fixture
def put(settings, tmp_path):
    """Return a function that puts a list template of the site before the package's."""

    def put(text):
        path = tmp_path / LIST_TEMPLATE
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        template = {**settings.TEMPLATES[0], "DIRS": [tmp_path]}
        settings.TEMPLATES = [template, *settings.TEMPLATES[1:]]

    return put


def test_the_packages_own_list_has_what_htmx_4_needs():
    assert "W017" not in run()


def test_a_copy_from_before_htmx_4_gets_a_warning(put):
    source = get_template(LIST_TEMPLATE).template.source
    put(source.replace("hx-target:inherited", ""))
    assert "W017" in run()
    put(source)
    assert "W017" not in run()


@pytest.mark.parametrize("text", ["<div data-wus></div>", "{% no_such_tag %}", ""])
def test_a_list_without_htmx_is_right(put, text):
    put(text)
    assert "W017" not in run()
