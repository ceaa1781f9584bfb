import pytest

from wagtail_user_sessions.devices_page.forms import RenameForm


@pytest.mark.parametrize(
    ("given", "cleaned"),
    [
        ("  Kitchen tablet ", "Kitchen tablet"),
        ("", ""),
        ("\u200b\n", ""),
        ("a\tb\x7fc", "a bc"),
        ("会社\u3000の\xa0PC", "会社 の PC"),
        ("\ufe0f", ""),
        ("☎", "☎"),
        ("\u202egnihtemos", "gnihtemos"),
        ("👨‍👩‍👧", "👨‍👩‍👧"),
        ("گوشی\u200cمن", "گوشی\u200cمن"),
        ("<b>", "<b>"),
        ("\u200d", ""),
        ("\u3164 \u2800\u115f", ""),
        ("\u3164x\u200d", "x"),
        ("x" * 64, "x" * 64),
    ],
)
def test_clean_name_keeps_readable_characters(given, cleaned):
    form = RenameForm({"name": given})
    assert form.is_valid()
    assert form.cleaned_data["name"] == cleaned


@pytest.mark.parametrize("given", ["x" * 65, "a\x00b"])
def test_a_name_that_cannot_be_stored_is_refused_with_a_reason(given):
    form = RenameForm({"name": given})
    assert form.errors["name"]
