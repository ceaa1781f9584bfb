"""Requests that no middleware has seen: Wagtail calls hooks with them, too."""

import pytest
from django.contrib import admin
from django.contrib.auth.models import AnonymousUser
from django.http import Http404
from django.template import RequestContext, Template
from django.test import RequestFactory
from wagtail import hooks

from tests.wagtail_admin.conftest import row_of, text_of
from wagtail_user_sessions.devices_page import views
from wagtail_user_sessions.models import Session
from wagtail_user_sessions.wagtail_admin import site_summary, user_pages
from wagtail_user_sessions.wagtail_admin.views import account

pytestmark = pytest.mark.django_db
TAG = Template("{% load wagtail_user_sessions %}{% device_list %}")


@pytest.fixture
def bare():
    return RequestFactory().get("/")


@pytest.fixture
def with_user(bare, superuser):
    bare.user = superuser
    return bare


@pytest.fixture
def viewset():
    return Session.snippet_viewset


def test_the_account_page_has_no_item_for_a_request_without_a_session(with_user):
    assert account.menu_item(with_user) is None
    registered = hooks.get_hooks("register_account_menu_item")
    assert account.menu_item in registered


def test_the_own_devices_are_not_found_without_a_session(with_user):
    view = account.admin_urls()[0].url_patterns[0].callback
    with pytest.raises(Http404):
        view(with_user)


def test_wagtails_account_page_answers_a_request_without_a_session(with_user):
    from wagtail.admin.views.account import AccountView

    assert AccountView.as_view()(with_user).status_code == 200


@pytest.mark.parametrize("user", [None, AnonymousUser()])
def test_hooks_show_nothing_to_a_request_without_a_user(bare, visitor, user):
    if user is not None:
        bare.user = user
    items = []
    site_summary.add_item(bare, items)
    assert [item.is_shown() for item in items] == [False]
    assert user_pages.show_session_count(bare, visitor) is None


def test_a_users_page_is_shown_without_the_middleware_of_messages(with_user, visitor):
    assert user_pages.show_session_count(with_user, visitor) is None


def test_the_listing_marks_no_session_as_that_of_the_request(with_user, vera, viewset):
    response = viewset.index_view(with_user)
    assert response.status_code == 200
    text = text_of(response.render())
    assert "Chrome on Windows" in text
    assert "This is you" not in text


def test_the_page_of_a_session_is_shown(with_user, vera, viewset):
    response = viewset.inspect_view(with_user, pk=row_of(vera).pk)
    assert "This is your own session" not in text_of(response.render())


def test_the_tag_lists_devices_of_which_none_is_the_current_one(bare, visitor, vera):
    assert TAG.render(RequestContext(bare)).strip() == ""
    bare.user = visitor
    page = TAG.render(RequestContext(bare))
    assert f'id="wus-{row_of(vera).pk}"' in page
    assert "wus-device--current" not in page


def test_the_devices_page_lists_them_too_and_leads_others_to_the_login(
    bare, visitor, vera
):
    assert views.device_list(bare).status_code == 302
    bare.user = visitor
    page = views.device_list(bare).content.decode()
    assert f'id="wus-{row_of(vera).pk}"' in page


def test_no_row_is_that_of_a_request_without_a_session(bare, vera):
    row = row_of(vera)
    assert not Session.objects.for_request(bare).exists()
    assert not row.is_current(bare)
    row.delete()
    assert not row.is_current(bare)


def test_djangos_admin_hides_superusers_from_a_request_without_a_user(bare, sue, vera):
    rows = admin.site.get_model_admin(Session).get_queryset(bare)
    assert [row.pk for row in rows] == [row_of(vera).pk]
