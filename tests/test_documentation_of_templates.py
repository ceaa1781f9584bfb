"""``docs/templates.md`` lists templates, blocks, variables and attributes."""

import re
from dataclasses import fields
from pathlib import Path

import pytest
from django.utils.functional import cached_property

from wagtail_user_sessions.devices_page.device_item import DeviceItem
from wagtail_user_sessions.devices_page.device_list import DeviceList

BASE_DIR = Path(__file__).resolve().parent.parent
TEMPLATES = BASE_DIR / "wagtail_user_sessions/templates/wagtail_user_sessions"
STYLESHEET = BASE_DIR / "wagtail_user_sessions/static/wagtail_user_sessions/devices.css"
PAGE = (BASE_DIR / "docs/templates.md").read_text()

# Without the admin's templates, which aren't documented there.
NAMES = sorted(
    name
    for path in TEMPLATES.rglob("*.html")
    if not (name := path.relative_to(TEMPLATES).as_posix()).startswith("admin/")
)
# Variables that tags set, and constants of Django's template language.
GIVEN = {"True", "False", "None", "count", "language", "is_rtl", "htmx", "notice"}


def section(title):
    """Return the text of a section, up to the next heading."""
    found = re.search(rf"^#+ {re.escape(title)}$(.*?)(?=^#|\Z)", PAGE, re.M | re.S)
    assert found, f"no section {title}"
    return found[1]


def listed(title, what):
    """Return the names that a template's section lists as its blocks or variables."""
    found = re.search(rf"^{what}: (.*)$", section(title), re.M)
    return set(re.findall(r"`(\w+)`", found[1])) if found else set()


def source(name):
    return re.sub(r"{#.*?#}", "", (TEMPLATES / name).read_text())


def blocks(name):
    return set(re.findall(r"{% block (\w+)", source(name)))


def variables(name):
    """Return the names of the variables that the template itself reads."""
    tags = re.findall(r"{{ (.*?) }}", source(name))
    tags += re.findall(r"{% (?:if|elif|firstof) (.*?) %}", source(name))
    tags += re.findall(r"{% for \w+ in (.*?) %}", source(name))
    tags += re.findall(r"(?:with|count) \w+=(\S+)", source(name))
    code = " ".join(re.sub(r'_?\(?"[^"]*"\)?|\|\w+', " ", tag) for tag in tags)
    names = set(re.findall(r"(?<![\w.])[a-z_]\w*", code))
    return names - GIVEN - {"and", "or", "not", "in", "is"}


def test_each_template_has_a_section_and_each_section_a_template():
    titles = re.findall(r"^### `(.*\.html)`$", PAGE, re.M)
    assert sorted(titles) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_the_blocks_of_a_template_are_listed(name):
    assert listed(f"`{name}`", "Blocks") == blocks(name)


@pytest.mark.parametrize("name", NAMES)
def test_the_variables_of_a_template_are_listed(name):
    # A page also lists the variables of its partials.
    used = variables(name) - ({"device"} if "for device in" in source(name) else set())
    assert used <= listed(f"`{name}`", "Variables")


def test_each_variable_is_explained():
    explained = set(re.findall(r"`(\w+)`", section("Variables")))
    for name in NAMES:
        assert listed(f"`{name}`", "Variables") <= explained | {"get_context"}


@pytest.mark.parametrize(
    ("title", "cls"), [("devices", DeviceList), ("device", DeviceItem)]
)
def test_each_attribute_of_the_list_and_its_devices_is_explained(title, cls):
    rows = re.findall(r"^\| (`.*?) \|", section(f"`{title}`"), re.M)
    explained = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    properties = {
        name
        for name, value in vars(cls).items()
        if isinstance(value, property | cached_property) and name[0] != "_"
    }
    # Fields that aren't for templates are left out of repr().
    assert explained == properties | {one.name for one in fields(cls) if one.repr}


def test_the_custom_properties_that_are_named_exist():
    stylesheet = STYLESHEET.read_text()
    for name in re.findall(r"(--wus-[\w-]+):", section("The stylesheet")):
        assert f"{name}:" in stylesheet
