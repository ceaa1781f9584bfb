"""Check of the site's own templates in the place of the package's."""

import pytest
from django.template.loader import get_template

from tests.checks.messages import run
from wagtail_user_sessions.checks.templates import BASE_TEMPLATE, LIST_TEMPLATE


@pytest.fixture
def put(settings, tmp_path):
    """Return a function that puts a list template of the site before the package's."""

    def put(text, *, base='{% extends "site.html" %}'):
        for name, source in ((LIST_TEMPLATE, text), (BASE_TEMPLATE, base)):
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if source:
                path.write_text(source)
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


def test_a_copy_inside_the_packages_page_is_right(put):
    # That page loads htmx 2.
    source = get_template(LIST_TEMPLATE).template.source
    put(source.replace("hx-target:inherited", ""), base="")
    assert "W017" not in run()


def test_a_copy_in_another_encoding_breaks_no_check(put, tmp_path):
    put("hx-target")
    (tmp_path / LIST_TEMPLATE).write_bytes("hx-target é".encode("latin-1"))
    assert "W017" not in run()


@pytest.mark.parametrize("text", ["<div data-wus></div>", "{% no_such_tag %}", ""])
def test_a_list_without_htmx_is_right(put, text):
    put(text)
    assert "W017" not in run()
