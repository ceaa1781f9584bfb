"""A site with an htmx 4 of its own, in the ways in which a site can configure it.

The tests of the single actions, of failures, refreshes and boosted links run with it as
well.
"""

import pytest
from playwright.sync_api import expect

COMPATIBLE = '<script src="/static/htmx-4/ext/htmx-2-compat.min.js"></script>'
SITE_ATTRIBUTES = {
    "target": "body",
    "swap": "innerHTML",
    "select": "main",
    "select-oob": "#wus-list",
    "confirm": "Really?",
    "include": "input",
    "vals": '{"name": "of the site"}',
    "encoding": "multipart/form-data",
    "push-url": "true",
    "boost": "true",
    "sync": "body:queue all",
}
DUPLICATES = """
() => {
  const ids = [...document.querySelectorAll("[id]")].map((element) => element.id);
  return ids.filter((id, index) => ids.indexOf(id) !== index);
}
"""


@pytest.fixture
def site(sites):
    return sites("htmx_4")


@pytest.fixture
def here(ann):
    return ann.browse()


def change_pages(here, *, first="", last="", body=""):
    """Put something into the head of each page, and into the tag of its body."""

    def change(route):
        if route.request.resource_type != "document":
            return route.continue_()
        answer = route.fetch()
        text = answer.text().replace("<head>", f"<head>{first}")
        text = text.replace("</head>", f"{last}</head>")
        text = text.replace("<body", f"<body {body}")
        return route.fulfill(response=answer, body=text)

    here.page.route("**/account/devices/**", change)


def attributes(pattern):
    return " ".join(
        f"{pattern.format(name)}='{value}'" for name, value in SITE_ATTRIBUTES.items()
    )


def expect_one_list(here):
    here.settle()
    assert here.page.evaluate(DUPLICATES) == []
    expect(here.list).to_have_count(1)
    expect(here.page.locator("[data-wus]")).to_have_count(1)


def act(here, first, second):
    """Do all that the list can do; return the requests that it has made."""
    with here.stays():
        here.part("more").click()
        expect(here.part("more")).to_have_count(0)
        expect_one_list(here)
        expect(here.ask_for_name(first)).to_be_focused()
        expect_one_list(here)
        here.part("name", first).fill("Kitchen")
        here.part("name", first).press("Enter")
        expect(here.message).to_have_text("The device is now called Kitchen.")
        expect(here.part("rename", first)).to_be_focused()
        expect_one_list(here)
        here.ask_to_sign_out(first)
        expect_one_list(here)
        here.page.keyboard.press("Escape")
        expect(here.part("sign-out", first)).to_be_focused()
        expect_one_list(here)
        here.sign_out(first)
        expect(here.message).to_have_text("Signed out: Kitchen (London, GB).")
        expect(here.part("sign-out", second)).to_be_focused()
        expect_one_list(here)
        here.refresh()
        expect_one_list(here)
        here.ask_to_sign_out_others()
        expect_one_list(here)
        here.part("confirmed").click()
        here.expect_count(1)
        expect(here.message).to_have_text("Signed out 11 other devices.")
        expect_one_list(here)


def test_no_action_makes_a_second_list(ann, here):
    first, second = ann.devices(12)[:2]
    act(here.open(), first, second)


def test_what_the_site_has_set_for_its_body_does_not_reach_the_list(ann, here):
    first, second = ann.devices(12)[:2]
    change_pages(here, body=attributes("hx-{}:inherited"))
    act(here.open(), first, second)


@pytest.mark.parametrize("last", ["", COMPATIBLE])
def test_nor_does_what_it_has_set_for_htmx_2(ann, here, last):
    first, second = ann.devices(12)[:2]
    implicit = "<meta name=htmx-config content='implicitInheritance:true'>"
    change_pages(here, first=implicit, last=last, body=attributes("hx-{}"))
    act(here.open(), first, second)


@pytest.mark.parametrize("status", [400, 403, 404, 500])
def test_an_error_is_told_and_its_page_put_nowhere(ann, here, status):
    first, second = ann.devices(2)
    # A site's own place for errors doesn't get them.
    change_pages(here, body='hx-status:4xx:inherited="target:body"')
    here.open()
    here.page.route(
        "**/revoke/*",
        lambda route: route.fulfill(status=status, body="<p id=wus-list>Error</p>"),
    )
    with here.stays():
        here.sign_out(first)
        expect(here.message).to_contain_text("That didn't work.")
        expect_one_list(here)
        assert here.ids == [here.id, first, second]


def test_an_action_takes_the_place_of_a_refresh_without_a_failure(ann, here):
    other = ann.device()
    here.open()
    waiting = []
    here.page.route("**refresh=1", lambda route: waiting.append(route))
    here.come_to_the_front()
    here.page.wait_for_timeout(100)
    assert len(waiting) == 1
    with here.stays():
        here.sign_out(other)
        here.expect_count(1)
        expect(here.message).to_have_text("Signed out: Safari on iPhone (London, GB).")
        expect_one_list(here)


@pytest.mark.parametrize("needs", ["metaCharacter", "1.9.12"])
def test_an_htmx_that_cannot_serve_the_list_is_named_on_the_console(ann, here, needs):
    other = ann.device()
    errors = []
    here.page.on("console", lambda entry: errors.append(entry.text))
    if needs == "metaCharacter":
        other_character = """<meta name=htmx-config content='metaCharacter:"-"'>"""
        change_pages(here, first=other_character)
    else:
        old = "window.htmx = { version: '1.9.12', config: {} }"
        here.page.route("**/htmx.min.js", lambda route: route.fulfill(body=old))
    here.has_javascript = False
    here.open()
    here.page.wait_for_load_state()
    with here.page.expect_navigation():
        here.part("sign-out", other).click()
    expect(here.part("confirmed", other)).to_be_visible()
    with here.page.expect_navigation():
        here.part("confirmed", other).click()
    here.expect_count(1)
    assert any("loads whole pages" in error and needs in error for error in errors)


def test_a_list_of_an_older_template_loads_whole_pages(ann, here):
    other = ann.device()
    errors = []
    here.page.on("console", lambda entry: errors.append(entry.text))
    here.page.add_init_script(
        "document.addEventListener('htmx:before:process', () => "
        "document.querySelector('[data-wus]').removeAttribute('hx-target:inherited'),"
        " true)"
    )
    here.open()
    with here.page.expect_navigation():
        here.part("sign-out", other).click()
    expect_one_list(here.wait())
    expect(here.part("confirmed", other)).to_be_visible()
    assert any("hx-target:inherited" in error for error in errors)
