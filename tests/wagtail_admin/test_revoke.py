"""Signing out one session, a user's, everybody's, and a selection."""

import pytest
from django.contrib.contenttypes.models import ContentType
from django.db import DatabaseError
from django.http import HttpResponse
from django.utils import timezone
from wagtail import hooks
from wagtail.admin.models import EditingSession
from wagtail.models import Locale, ModelLogEntry, Page

from tests.urls_devices_page import is_signed_in, signed_in
from tests.wagtail_admin.conftest import BULK, LIST, row_of, said, text_of, url
from wagtail_user_sessions.models import Session, SessionQuerySet
from wagtail_user_sessions.sessions import mass_deletion
from wagtail_user_sessions.signals import session_ended

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("engine"),
]


@pytest.fixture(autouse=True)
def _content_types():
    # Django caches the rows, which are gone once a test has flushed the tables.
    ContentType.objects.clear_cache()


@pytest.fixture
def home():
    Locale.objects.get_or_create(language_code="en")
    root = Page.get_first_root_node() or Page.add_root(title="Root", slug="root")
    return root.add_child(instance=Page(title="Annual report", slug="report"))


def open_in_editor(user, page):
    EditingSession.objects.create(
        user=user,
        content_type=ContentType.objects.get_for_model(Page),
        object_id=str(page.pk),
        last_seen_at=timezone.now(),
    )


def entry():
    return ModelLogEntry.objects.get(action__startswith="wagtail_user_sessions.")


# One


def test_one_session_is_signed_out_after_a_question(sue, vera, superuser):
    address = url("delete", row_of(vera).pk)
    page = sue.get(address)
    assert "Sign out Chrome on Windows of Vera Visitor?" in text_of(page)
    assert is_signed_in(vera)
    answer = sue.post(address, {"reason": "lost laptop"}, follow=True)
    assert answer.redirect_chain == [(LIST, 302)]
    assert said(answer) == ["1 session was signed out."]
    assert not is_signed_in(vera)
    assert is_signed_in(sue)
    logged = entry()
    assert logged.user == superuser
    assert logged.label == "Vera Visitor: Chrome on Windows"
    assert logged.message == "Signed out Chrome on Windows of Vera Visitor: lost laptop"


def test_the_log_entry_without_a_given_reason_says_revoked(sue, vera):
    sue.post(url("delete", row_of(vera).pk))
    assert entry().message == "Signed out Chrome on Windows of Vera Visitor: revoked"


def test_the_site_history_shows_the_entry(sue, vera, home):
    sue.post(url("delete", row_of(vera).pk), {"reason": "lost laptop"})
    history = text_of(sue.get("/admin/reports/site-history/"))
    assert "Vera Visitor: Chrome on Windows" in history
    assert "lost laptop" in history


def test_signing_out_leads_back_to_the_next_url(sue, vera):
    back = f"{LIST}?q=vera"
    answer = sue.post(f"{url('delete', row_of(vera).pk)}?next={back}")
    assert answer.url == back


def test_signing_out_never_leads_to_another_site(sue, vera):
    answer = sue.post(f"{url('delete', row_of(vera).pk)}?next=https://example.org/")
    assert answer.url == LIST


def test_signing_out_oneself_leads_to_the_login_page(sue):
    address = url("delete", row_of(sue).pk)
    page = text_of(sue.get(address))
    assert "You will have to sign in again" in page
    assert "Stands in the log" not in page
    assert sue.post(address).url == "/admin/login/"
    assert not is_signed_in(sue)


def test_a_session_that_ended_before_the_confirmation_is_no_error(
    sue, vera, monkeypatch
):
    row = row_of(vera)
    monkeypatch.setattr(Session, "revoke", lambda row, **options: 0)
    answer = sue.post(url("delete", row.pk), follow=True)
    assert said(answer) == ["Chrome on Windows was already signed out."]


def test_the_confirmation_names_users_with_an_open_editor_and_their_pages(
    sue, editor, home
):
    there = signed_in(editor)
    open_in_editor(editor, home)
    for address in (
        url("delete", row_of(there).pk),
        url("revoke_user", editor.pk),
        url("revoke_everybody"),
        f"{BULK}?id={row_of(there).pk}",
        f"{BULK}?id=all",
    ):
        text = text_of(sue.get(address))
        assert "Changes that aren't saved may be lost" in text, address
        assert "“Annual report”, by ed" in text, address


def test_the_confirmation_ignores_an_editor_that_was_closed_long_ago(sue, editor, home):
    there = signed_in(editor)
    open_in_editor(editor, home)
    EditingSession.objects.update(
        last_seen_at=timezone.now() - EditingSession.STALE_TIMEOUT
    )
    text = text_of(sue.get(url("delete", row_of(there).pk)))
    assert "Annual report" not in text


# A user


def test_a_user_is_signed_out_everywhere(sue, vera, visitor, superuser):
    phone = signed_in(visitor)
    address = url("revoke_user", visitor.pk)
    assert "Sign out 2 sessions of Vera Visitor?" in text_of(sue.get(address))
    answer = sue.post(address, {"reason": "phished"}, follow=True)
    assert said(answer) == ["2 sessions were signed out."]
    assert not is_signed_in(vera)
    assert not is_signed_in(phone)
    assert is_signed_in(sue)
    entries = ModelLogEntry.objects.filter(user=superuser)
    assert [entry.data["reason"] for entry in entries] == ["phished"] * 2


def test_signing_out_oneself_everywhere_spares_this_session(sue, superuser):
    there = signed_in(superuser)
    address = url("revoke_user", superuser.pk)
    text = text_of(sue.get(address))
    assert "Sign out 1 session of Sue Super?" in text
    assert "Your own session is spared" in text
    sue.post(address)
    assert is_signed_in(sue)
    assert not is_signed_in(there)


def test_the_pages_say_that_there_is_no_session_to_sign_out(sue, visitor):
    address = url("revoke_user", visitor.pk)
    page = sue.get(address)
    assert "There is no session to sign out." in text_of(page)
    assert "Yes, sign out" not in text_of(page)
    answer = sue.post(address, follow=True)
    assert said(answer) == ["There is no session to sign out."]
    assert 'class="info"' in answer.content.decode()
    everybody = sue.get(url("revoke_everybody"))
    assert "There is no session to sign out." in text_of(everybody)


# Everybody


def test_signing_out_everybody_spares_the_actors_session(sue, vera, mary, superuser):
    address = url("revoke_everybody")
    assert "Sign out 2 sessions of all users?" in text_of(sue.get(address))
    answer = sue.post(address, {"confirmation": " Everybody "}, follow=True)
    assert said(answer) == ["2 sessions were signed out."]
    assert not is_signed_in(vera)
    assert not is_signed_in(mary)
    assert is_signed_in(sue)
    logged = entry()
    assert (logged.user, logged.label) == (superuser, "Everybody")
    assert logged.message == "Signed out 2 sessions of all users: revoked"


def test_signing_out_everybody_spares_sessions_of_visitors(sue, make_row):
    row = make_row()
    sue.post(url("revoke_everybody"), {"confirmation": "everybody"})
    assert Session.objects.filter(pk=row.pk).exists()


@pytest.mark.parametrize("typed", ["", "yes", "every body"])
def test_without_the_typed_word_nobody_is_signed_out(sue, vera, typed):
    answer = sue.post(url("revoke_everybody"), {"confirmation": typed})
    assert answer.status_code == 200
    assert (
        "errorlist" in answer.content.decode()
        or "error-message" in answer.content.decode()
    )
    assert is_signed_in(vera)


def test_everybody_is_signed_out_in_batches_with_few_queries(
    sue, visitor, batches_of, django_assert_max_num_queries
):
    batches_of(10)
    for _ in range(25):
        signed_in(visitor)
    with django_assert_max_num_queries(40):
        sue.post(url("revoke_everybody"), {"confirmation": "everybody"})
    assert Session.objects.count() == 1


# A selection


def test_the_selected_sessions_are_signed_out(sue, vera, visitor, mary, superuser):
    phone = signed_in(visitor)
    query = f"?id={row_of(vera).pk}&id={row_of(mary).pk}"
    page = sue.get(BULK + query)
    text = text_of(page)
    assert "Sign out 2 sessions?" in text
    assert "Vera Visitor : Chrome on Windows" in text
    answer = sue.post(BULK + query + f"&next={LIST}", {"reason": "audit"}, follow=True)
    assert answer.redirect_chain == [(LIST, 302)]
    assert said(answer) == ["2 sessions were signed out."]
    assert not is_signed_in(vera)
    assert not is_signed_in(mary)
    assert is_signed_in(phone)
    assert ModelLogEntry.objects.filter(user=superuser).count() == 2


@pytest.mark.parametrize(
    "query", ["q=vera", "user={0}", "device_kind=mobile", "country=GB"]
)
def test_all_of_the_listing_means_the_filtered_rows(sue, vera, mary, visitor, query):
    Session.objects.filter(user=visitor).update(device_kind="mobile", country="GB")
    query = f"?{query.format(visitor.pk)}&id=all"
    assert "Sign out 1 session?" in text_of(sue.get(BULK + query))
    sue.post(BULK + query)
    assert not is_signed_in(vera)
    assert is_signed_in(mary)


def test_all_of_the_listing_means_active_sessions_without_a_status(sue, vera, make_row):
    row = make_row()
    sue.post(f"{BULK}?id=all")
    assert not is_signed_in(vera)
    assert Session.objects.filter(pk=row.pk).exists()
    sue.post(f"{BULK}?id=all&status=visitor")
    assert not Session.objects.filter(pk=row.pk).exists()


@pytest.mark.parametrize(
    "query", ["user=x", "signed_in_at_from=yesterday", "status=x", "q=%00"]
)
def test_invalid_filters_sign_nobody_out(sue, vera, query):
    sue.post(f"{BULK}?id=all&{query}")
    assert is_signed_in(vera)


def test_a_selection_without_a_valid_next_url_leads_to_the_listing(sue, vera):
    address = f"{BULK}?id={row_of(vera).pk}"
    for query in ("", "&next=https://evil.example/"):
        assert f'href="{LIST}"' in sue.get(f"{address}{query}").content.decode()
    assert sue.post(address).url == LIST


def test_a_selection_spares_the_own_session(sue, vera):
    assert "Your own session is spared" in text_of(sue.get(f"{BULK}?id=all"))
    sue.post(f"{BULK}?id=all")
    assert is_signed_in(sue)
    page = sue.get(f"{BULK}?id={row_of(sue).pk}")
    assert "There is no session to sign out" in text_of(page)


def test_a_large_selection_names_only_some_sessions(sue, visitor, make_row):
    for _ in range(25):
        make_row(visitor)
    text = text_of(sue.get(f"{BULK}?id=all"))
    assert "Sign out 25 sessions?" in text
    assert "and 5 other sessions" in text


@pytest.fixture
def without_a_cache(monkeypatch):
    def gone():
        raise ConnectionError

    monkeypatch.setattr("wagtail_user_sessions.cache.copies.get_session_cache", gone)


@pytest.mark.usefixtures("without_a_cache")
def test_a_user_is_signed_out_without_the_cache_and_without_a_warning(sue, vera):
    answer = sue.post(url("delete", row_of(vera).pk), follow=True)
    assert said(answer) == ["1 session was signed out."]
    assert not is_signed_in(vera)


@pytest.mark.usefixtures("without_a_cache")
def test_the_end_of_a_visitors_session_without_the_cache_adds_a_warning(
    sue, make_row, engine
):
    answer = sue.post(url("delete", make_row().pk), follow=True)
    done, *warnings = said(answer)
    assert done == "1 session was signed out."
    # The engine db has no cache.
    assert len(warnings) == engine.SessionStore.keeps_copies
    assert all("Not all servers could be told" in text for text in warnings)


def test_a_selection_signs_nobody_out_who_has_signed_in_meanwhile(
    mary, superuser, make_row, monkeypatch
):
    row = make_row()
    values_list = SessionQuerySet.values_list

    def sign_in_beside(rows, *names, **options):
        keys = list(values_list(rows, *names, **options))
        Session.objects.filter(pk=row.pk).update(user=superuser, session_data="x")
        return keys

    monkeypatch.setattr(SessionQuerySet, "values_list", sign_in_beside)
    mary.post(f"{BULK}?id=all&status=visitor")
    assert Session.objects.filter(pk=row.pk, user=superuser).exists()


def test_hooks_of_bulk_actions_see_the_sessions_before_and_after(
    sue, vera, monkeypatch
):
    row, seen = row_of(vera), []
    with (
        hooks.register_temporarily(
            "before_bulk_action", lambda *args: seen.append(args)
        ),
        hooks.register_temporarily(
            "after_bulk_action", lambda *args: seen.append(args)
        ),
    ):
        sue.post(f"{BULK}?id={row.pk}")
    assert [(kind, objects) for _request, kind, objects, _action in seen] == [
        ("delete", [row])
    ] * 2
    assert not is_signed_in(vera)


def test_a_hook_of_bulk_actions_may_refuse(sue, vera):
    refuse = lambda *args: HttpResponse("no", status=418)  # noqa: E731
    with hooks.register_temporarily("before_bulk_action", refuse):
        assert sue.post(f"{BULK}?id={row_of(vera).pk}").status_code == 418
    assert is_signed_in(vera)


@pytest.mark.parametrize("method", ["delete", "put", "patch"])
def test_only_a_post_of_the_form_ends_sessions(sue, vera, visitor, method):
    for address in (url("delete", row_of(vera).pk), url("revoke_user", visitor.pk)):
        assert getattr(sue, method)(address).status_code == 405
    assert is_signed_in(vera)


def test_the_reason_of_signing_out_everybody_reaches_receivers(sue, vera):
    reasons = []

    def receive(sender, reason, **kwargs):
        reasons.append(reason)

    session_ended.connect(receive)
    data = {"confirmation": "everybody", "reason": "stolen database"}
    sue.post(url("revoke_everybody"), data)
    session_ended.disconnect(receive)
    assert reasons == ["stolen database"]
    assert entry().message.endswith("stolen database")


def test_signing_out_everybody_is_logged_even_if_it_is_stopped_half_way(
    sue, visitor, monkeypatch, batches_of
):
    for _ in range(3):
        signed_in(visitor)
    batches_of(1)
    real = mass_deletion.delete_by_sign_in

    def stopping(rows, **options):
        yield next(real(rows, **options))
        raise RuntimeError

    monkeypatch.setattr(mass_deletion, "delete_by_sign_in", stopping)
    with pytest.raises(RuntimeError):
        sue.post(url("revoke_everybody"), {"confirmation": "everybody"})
    assert entry().data["count"] == 1


def test_a_log_that_cant_be_written_prevents_no_sign_out(sue, vera, monkeypatch):
    def fail(*args, **kwargs):
        raise DatabaseError

    monkeypatch.setattr("wagtail_user_sessions.wagtail_admin.log_actions.log", fail)
    answer = sue.post(
        url("revoke_everybody"), {"confirmation": "everybody"}, follow=True
    )
    assert said(answer) == ["1 session was signed out."]
    monkeypatch.setattr(ModelLogEntry.objects.__class__, "bulk_create", fail)
    again = signed_in(row_of(sue).user)
    answer = sue.post(url("delete", row_of(again).pk), follow=True)
    assert said(answer) == ["1 session was signed out."]


def test_the_log_hides_superusers_sessions_from_others(sue, superuser, manager, home):
    phone = signed_in(superuser)
    sue.post(url("delete", row_of(phone).pk), {"reason": "lost phone"})
    logged = entry()
    assert logged.message == "Signed out a session of Sue Super: lost phone"
    assert logged.content_type.model_class() is type(superuser)
    history = text_of(signed_in(manager).get("/admin/reports/site-history/"))
    assert "Sue Super" not in history
    assert "lost phone" in text_of(sue.get(url("inspect", row_of(sue).pk)))


def test_expired_sessions_are_left_to_the_clean_up(sue, visitor, vera, make_row):
    row = make_row(visitor, expire_date=timezone.now())
    answer = sue.post(url("revoke_user", visitor.pk), follow=True)
    assert said(answer) == ["1 session was signed out."]
    answer = sue.post(
        url("revoke_everybody"), {"confirmation": "everybody"}, follow=True
    )
    assert said(answer) == ["There is no session to sign out."]
    assert Session.objects.filter(pk=row.pk).exists()
