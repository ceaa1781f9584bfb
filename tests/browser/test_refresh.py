"""The list refreshes itself when its tab comes back to the front."""

import pytest
from playwright.sync_api import expect


@pytest.fixture(params=["default", "theme", "htmx_4"])
def site(request, sites):
    return sites(request.param)


@pytest.fixture
def here(ann):
    return ann.browse()


def test_a_device_that_was_signed_out_elsewhere_leaves_the_list(ann, here, backstage):
    gone, other = ann.devices(2)
    here.open()
    backstage.revoke(pk=gone)
    with here.stays():
        here.refresh()
        here.expect_count(2)
    assert here.ids == [here.id, other]
    expect(here.message).to_have_text("")


def test_a_tab_that_was_behind_another_is_refreshed_when_it_is_in_front(
    ann, here, backstage
):
    gone, other = ann.devices(2)
    here.open()
    behind = here.page.context.new_page()
    behind.goto("/")
    backstage.revoke(pk=gone)
    assert here.ids == [here.id, gone, other]
    # A browser with a screen sends this event by itself.
    here.page.bring_to_front()
    here.come_to_the_front()
    here.expect_count(2)
    assert here.ids == [here.id, other]


def test_a_question_stays_open_and_keeps_the_focus(ann, here, backstage):
    gone, other = ann.devices(2)
    here.open()
    here.ask_to_sign_out(other)
    here.part("confirmed", other).focus()
    backstage.revoke(pk=gone)
    with here.stays():
        here.refresh()
        expect(here.device(gone)).to_have_count(0)
        expect(here.part("confirmed", other)).to_be_focused()
        here.page.keyboard.press("Enter")
        here.expect_count(1)


def test_a_question_about_an_ended_device_leaves_with_it(ann, here, backstage):
    gone, other = ann.devices(2)
    here.open()
    here.ask_to_sign_out(gone)
    backstage.revoke(pk=gone)
    with here.stays():
        here.refresh()
        here.expect_count(2)
    assert here.ids == [here.id, other]
    expect(here.cancel()).to_have_count(0)


def test_a_refresh_keeps_the_length_of_the_list(ann, here):
    ann.devices(30)
    here.open()
    here.part("more").click()
    expect(here.part("more")).to_have_count(0)
    here.refresh()
    assert len(here.ids) == 31


def test_a_name_that_is_being_typed_is_left_alone(ann, here, backstage):
    gone, other = ann.devices(2)
    here.open()
    here.ask_for_name(other).press_sequentially("Kitch")
    backstage.revoke(pk=gone)
    asked = []
    here.page.on("request", lambda request: asked.append(request.url))
    here.come_to_the_front()
    here.page.keyboard.type("en")
    here.page.wait_for_timeout(300)
    assert asked == []
    expect(here.part("name", other)).to_have_value("Kitchen")
    expect(here.part("name", other)).to_be_focused()
    here.page.keyboard.press("Enter")
    here.expect_count(2)
    expect(here.part("title", other)).to_have_text("Kitchen")


def test_a_refresh_is_no_activity(ann, here, backstage):
    here.open()
    backstage.change(pk=here.id, minutes=30)
    before = backstage.row(pk=here.id)
    here.refresh()
    assert backstage.row(pk=here.id) == before
    # A visit to the page counts as activity.
    here.reload()
    assert backstage.row(pk=here.id)["last_activity"] > before["last_activity"]


@pytest.mark.parametrize("site", ["every_request"], indirect=True)
def test_a_refresh_never_lengthens_the_idle_time(ann, here, backstage):
    here.open()
    before = backstage.row(pk=here.id)
    here.refresh()
    assert backstage.row(pk=here.id)["expire_date"] == before["expire_date"]
    here.reload()
    assert backstage.row(pk=here.id)["expire_date"] > before["expire_date"]


def test_the_failure_of_a_refresh_is_removed_once_another_succeeds(here):
    here.open()
    here.page.route(
        "**/*refresh=1*", lambda route: route.fulfill(status=503, body="Error")
    )
    here.come_to_the_front()
    expect(here.message).to_contain_text("That didn't work.")
    here.page.unroute_all(behavior="wait")
    here.refresh()
    expect(here.message).to_have_text("")


def test_a_refresh_never_removes_the_failure_of_an_action(ann, here):
    other = ann.device()
    here.open()
    here.ask_to_sign_out(other)
    here.page.route("**/*", lambda route: route.fulfill(status=503, body="Error"))
    # After a failure the script requests the list, which fails as well.
    with here.page.expect_response("**/*refresh=1*"):
        here.part("confirmed", other).click()
    expect(here.message).to_contain_text("That didn't work.")
    here.page.unroute_all(behavior="wait")
    here.refresh()
    expect(here.message).to_contain_text("That didn't work.")
    here.part("confirmed", other).click()
    expect(here.message).to_contain_text("Signed out")
    here.refresh()
    expect(here.message).to_contain_text("Signed out")
