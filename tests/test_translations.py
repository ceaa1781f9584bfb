"""The catalogues are complete, and the page is translated into their languages."""

import re
import shutil
from collections import Counter
from datetime import timedelta
from functools import cache
from html.parser import HTMLParser
from io import StringIO
from pathlib import Path

import polib
import pytest
from django.core.management import call_command
from django.template.base import Lexer, TokenType
from django.utils import timezone
from django.utils.translation import override

import wagtail_user_sessions
from tests.conftest import skip_or_fail
from tests.settings import BASE_DIR
from tests.urls_devices_page import (
    HTMX,
    URL,
    fields,
    id_of,
    make_user,
    proof,
    rename_url,
    revoke_url,
    signed_in,
)
from wagtail_user_sessions.devices_page.formatting import time_ago
from wagtail_user_sessions.devices_page.list_params import SHOWN_AT_FIRST
from wagtail_user_sessions.hashing import KEY_HASH_LENGTH
from wagtail_user_sessions.models import Session

PACKAGE = Path(wagtail_user_sessions.__file__).parent
LANGUAGES = ("de", "fr", "es", "nl", "ar")
in_each_language = pytest.mark.parametrize("language", LANGUAGES)

# Arabic has words for zero, one and two of a thing, and numbers from three on.
COUNTED_WITH_WORDS = {"ar": {0, 1, 2}}
NUMBERS = {"%(count)d", "%(count)s", "%(minutes)d"}


def path_of(language, suffix):
    return PACKAGE / "locale" / language / "LC_MESSAGES" / f"django.{suffix}"


def catalogue(language):
    return polib.pofile(str(path_of(language, "po")))


def key(entry):
    return entry.msgctxt, entry.msgid, entry.msgid_plural


def translations(entry):
    """Return the translations of the entry by the number of the plural form."""
    return entry.msgstr_plural if entry.msgid_plural else {0: entry.msgstr}


# The catalogues


@pytest.fixture(scope="module")
def marked(tmp_path_factory):
    """The messages of the package, as makemessages finds them."""
    if shutil.which("xgettext") is None:
        skip_or_fail("no xgettext (install gettext)")
    copy = tmp_path_factory.mktemp("copy") / PACKAGE.name
    ignored = shutil.ignore_patterns("__pycache__", "locale")
    shutil.copytree(PACKAGE, copy, ignore=ignored)
    (copy / "locale").mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(copy)
        call_command("makemessages", locale=["de"], verbosity=0, stdout=StringIO())
    found = polib.pofile(str(copy / "locale/de/LC_MESSAGES/django.po"))
    assert found
    return {key(entry) for entry in found}


@in_each_language
def test_a_catalogue_has_what_the_package_marks_and_nothing_else(language, marked):
    assert {key(entry) for entry in catalogue(language)} == marked


@in_each_language
def test_everything_in_a_catalogue_is_translated(language):
    po = catalogue(language)
    missing = [
        entry.msgid
        for entry in po
        if entry.fuzzy or entry.obsolete or not all(translations(entry).values())
    ]
    assert missing == []
    assert not po.metadata_is_fuzzy


@in_each_language
def test_a_compiled_catalogue_holds_exactly_what_its_source_says(language):
    def content(entries):
        return {key(entry): translations(entry) for entry in entries}

    po, mo = catalogue(language), polib.mofile(str(path_of(language, "mo")))
    assert content(mo) == content(po)
    assert mo.metadata["Plural-Forms"] == po.metadata["Plural-Forms"]


@in_each_language
def test_translations_have_the_placeholders_of_the_original(language):
    def placeholders(text):
        return Counter(re.findall(r"%\(\w+\)[a-z]|%", text))

    for entry in catalogue(language):
        expected = placeholders(entry.msgid)
        without_number = expected - Counter(NUMBERS)
        for form, text in translations(entry).items():
            allowed = [expected]
            if entry.msgid_plural and form in COUNTED_WITH_WORDS.get(language, ()):
                allowed.append(without_number)
            assert placeholders(text) in allowed, text


@in_each_language
def test_there_are_as_many_plural_forms_as_the_header_says(language):
    po = catalogue(language)
    count = int(re.match(r"nplurals=(\d+);", po.metadata["Plural-Forms"])[1])
    for entry in po:
        if entry.msgid_plural:
            assert sorted(entry.msgstr_plural) == list(range(count)), entry.msgid


@in_each_language
def test_a_catalogue_names_its_language_and_nobody_s_address(language):
    po = catalogue(language)
    assert po.metadata["Language"] == language
    assert po.metadata["Project-Id-Version"] == "wagtail_user_sessions"
    head = path_of(language, "po").read_text().split("#:")[0]
    assert "@" not in head
    assert "AUTHOR" not in head


@pytest.mark.parametrize(
    ("language", "count", "expected"),
    [
        ("de", 1, "vor 1 Tag"),
        ("de", 3, "vor 3 Tagen"),
        ("fr", 3, "il y a 3 jours"),
        ("es", 1, "hace 1 día"),
        ("es", 3, "hace 3 días"),
        ("nl", 3, "3 dagen geleden"),
        ("ar", 1, "قبل يوم"),
        ("ar", 2, "قبل يومين"),
        ("ar", 3, "قبل 3 أيام"),
    ],
)
def test_a_relative_time_is_inflected(language, count, expected):
    now = timezone.now()
    with override(language):
        assert time_ago(now - timedelta(days=count), now=now) == expected


# The templates

# The name of the sandbox, in the example theme.
PROPER_NAMES = {"Sandbox"}
READ_ATTRIBUTES = {"title", "aria-label", "aria-description", "placeholder", "alt"}
UNREAD_ELEMENTS = {"script", "style"}
LETTERS = re.compile(r"[^\W\d_]+")
# String constants that a filter or a tag outputs.
WRITTEN_BY_FILTER = re.compile(r'\|(?:default|default_if_none|yesno):"([^"]*)"')
WRITTEN_BY_TAG = re.compile(r'(?<![(\w=])"([^"]*)"')


class Reader(HTMLParser):
    """Collects the texts and attributes that a person reads or hears."""

    def __init__(self, html):
        super().__init__()
        self.read = []
        # The text and the accessible name of each button.
        self.buttons = []
        self._open = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attributes):
        self._open.append(tag)
        attributes = dict(attributes)
        if tag == "button":
            self.buttons.append(["", attributes.get("aria-label")])
        self.read += [
            (text, self.getpos()[0])
            for name, text in attributes.items()
            if name in READ_ATTRIBUTES and text
        ]

    def handle_endtag(self, tag):
        if tag in self._open:
            while self._open.pop() != tag:
                pass

    def handle_data(self, text):
        if not UNREAD_ELEMENTS.intersection(self._open):
            self.read += [
                (line.strip(), number)
                for number, line in enumerate(text.split("\n"), self.getpos()[0])
                if line.strip()
            ]
        if "button" in self._open:
            self.buttons[-1][0] += text


def without_tags(source):
    """Return the template's own texts only, each in its line."""
    result, skipped_until = [], None
    for token in Lexer(source).tokenize():
        name = token.contents.split()[0] if token.contents.split() else ""
        if skipped_until:
            if token.token_type == TokenType.BLOCK and name == skipped_until:
                skipped_until = None
            result.append("\n" * token.contents.count("\n"))
        elif token.token_type == TokenType.TEXT:
            result.append(token.contents)
        elif token.token_type == TokenType.VAR:
            result += WRITTEN_BY_FILTER.findall(token.contents)
        elif token.token_type == TokenType.BLOCK:
            if name in {"blocktranslate", "blocktrans", "comment"}:
                skipped_until = f"end{name}"
            elif name in {"firstof", "cycle"}:
                result += WRITTEN_BY_TAG.findall(token.contents)
    return "".join(result)


def untranslated(source):
    """Return the texts of a template that aren't translated, with their lines."""
    return [
        (line, text)
        for text, line in Reader(without_tags(source)).read
        if set(LETTERS.findall(text)) - PROPER_NAMES
    ]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("<p>Hello</p>", [(1, "Hello")]),
        ('{% load i18n %}\n<p>\n{% translate "Hi" %} you</p>', [(3, "you")]),
        ('<a title="Away">{{ x }}</a>', [(1, "Away")]),
        ('<button aria-label="Close {{ x }}"></button>', [(1, "Close ")]),
        (
            '<input placeholder="Search"{% if x %} autofocus{% endif %}>',
            [(1, "Search")],
        ),
        ('<img alt="A cat">', [(1, "A cat")]),
        ('{{ x|default:"none" }}', [(1, "none")]),
        ('{% firstof x "none" %}', [(1, "none")]),
        ("{% blocktranslate %}a\nb{% endblocktranslate %}<i>c</i>", [(2, "c")]),
        ("{% if x %}Yes{% else %}{{ no }}{% endif %}", [(1, "Yes")]),
        ("<script>let x</script><p>y</p>", [(1, "y")]),
        # Texts that nobody reads, or that are translated.
        ('{% firstof x _("none") %}', []),
        ('{{ x|default:_("none") }}', []),
        (
            '<i class="a{% if x %} b{% endif %}" id="c-{{ d }}">{{ e }} &ndash; 1&nbsp;2</i>',
            [],
        ),
        ("{# A note #}{% comment %}A longer one{% endcomment %}<!-- third -->", []),
        ("<style>a { color: red }</style><script>let x</script>", []),
        (
            '<p title="{% translate "a" %}">{% blocktranslate %}b{% endblocktranslate %}',
            [],
        ),
    ],
)
def test_the_search_for_untranslated_texts_finds_them_and_nothing_else(
    source, expected
):
    assert untranslated(source) == expected


TEMPLATES = [
    path
    for folder in (PACKAGE / "templates", BASE_DIR / "templates")
    for path in sorted(folder.rglob("*.html"))
]


@pytest.mark.parametrize(
    "template", TEMPLATES, ids=lambda path: str(path.relative_to(BASE_DIR))
)
def test_a_template_has_no_text_that_is_not_translated(template):
    assert untranslated(template.read_text()) == []


# The page


def pattern(msgid):
    """Return a pattern that finds the text; a single word only as a whole text."""
    parts = re.split(r"%\(\w+\)[a-z]", msgid)
    middle = ".+".join(map(re.escape, parts))
    return re.compile(rf"(?<!\w){middle}(?!\w)" if " " in msgid else f"^{middle}$")


def english_in(texts, language):
    """Return the English messages in the texts, except those that the translation
    leaves as they are.
    """
    found = set()
    for entry in catalogue("de" if language == "en" else language):
        translated = () if language == "en" else translations(entry).values()
        for msgid in filter(None, (entry.msgid, entry.msgid_plural)):
            if msgid not in translated and any(map(pattern(msgid).search, texts)):
                found.add(msgid)
    return found


def open_all(user):
    """Yield the page with each of its parts open, and the responses of its actions."""
    here, other, third = (signed_in(user) for _ in range(3))
    row = Session.objects.get(pk=id_of(here))
    now = timezone.now()
    seen = (timedelta(days=70 * n + 1, minutes=9) for n in range(SHOWN_AT_FIRST))
    Session.objects.bulk_create(
        Session(
            user=user,
            key_hash=n.to_bytes(KEY_HASH_LENGTH),
            auth_digest=row.auth_digest,
            session_data=row.session_data,
            last_activity=now - elapsed,
            signed_in_at=now - elapsed,
            expire_date=now + timedelta(days=9),
            city="Linköping",
            country="SE",
            ip="192.0.2.9",
        )
        for n, elapsed in enumerate(seen)
    )
    Session.objects.filter(pk=id_of(other)).update(name="Old one")
    yield here.get(URL)
    for device in (here, other):
        yield here.get(URL, {"confirm": str(id_of(device))})
    for confirmation in ("others", "not_you"):
        yield here.get(URL, {"confirm": confirmation})
    renaming = here.get(URL, {"rename": str(id_of(other))})
    yield renaming
    form = fields(renaming, rename_url(other))
    yield here.post(rename_url(other), {**form, "name": "x" * 99}, headers=HTMX)
    yield here.post(rename_url(other), {**form, "name": "Mine"}, headers=HTMX)
    form, address = proof(here, third), revoke_url(third)
    for _ in range(2):
        yield here.post(address, form, headers=HTMX)
    yield here.post(f"{URL}revoke-others/", headers=HTMX)
    yield here.get(URL)


@cache
def readers(language):
    with override(language):
        pages = [page.content.decode() for page in open_all(make_user())]
    return [Reader(page) for page in pages]


def texts_of(pages):
    return {" ".join(text.split()) for page in pages for text, _ in page.read}


pages_are_tested = [
    pytest.mark.urls("tests.urls_devices_page"),
    pytest.mark.django_db,
]


class TestThePage:
    pytestmark = pages_are_tested

    def test_the_search_for_english_finds_nearly_all_there_is(self):
        found = english_in(texts_of(readers("en")), "en")
        assert {
            "Active now",
            "Cancel",
            "Name of %(device)s",
            "Place",
            "Rename %(device)s",
            "Show more",
            "Sign out %(count)s other devices, and choose a new password?",
            "Signed out %(count)d other devices.",
            "Signed out: %(device)s.",
            "That device is already signed out.",
            "The device is now called %(device)s.",
            "Unknown device",
            "You are signed in on %(count)s device.",
            "You are signed in on %(count)s devices.",
            "Your devices",
            "%(browser)s on %(system)s",
            "%(count)d day ago",
            "%(count)d months ago",
            "%(count)d year ago",
        } <= found

    @in_each_language
    def test_the_page_has_no_english_in_another_language(self, language):
        assert english_in(texts_of(readers(language)), language) == set()

    @in_each_language
    def test_the_accessible_name_of_a_button_contains_its_text(self, language):
        """Users of voice control say the text that they see on the button."""
        buttons = [button for page in readers(language) for button in page.buttons]
        assert any(label for _, label in buttons)
        for shown, label in buttons:
            if label:
                assert shown.strip().casefold() in label.casefold()

    @in_each_language
    def test_the_page_says_its_language_and_direction(self, language):
        here = signed_in(make_user())
        with override(language):
            page = here.get(URL).content.decode()
        direction = "rtl" if language == "ar" else "ltr"
        assert f'<html lang="{language}" dir="{direction}">' in page

    def test_a_device_is_read_from_right_to_left_in_such_a_language(self):
        """Even if its label begins with Latin letters, such as a browser's name."""
        here = signed_in(make_user())
        with override("ar"):
            page = here.get(URL).content.decode()
        assert "<bdi>\N{RIGHT-TO-LEFT MARK}Chrome على Windows</bdi>" in page
