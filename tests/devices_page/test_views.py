"""The devices page: who sees what, and what its actions do."""

import re
import uuid
from datetime import timedelta

import pytest
from django.contrib import messages
from django.contrib.auth import get_user_model
from django.core.exceptions import ImproperlyConfigured
from django.template.loader import get_template
from django.test import Client
from django.utils import timezone
from django.utils.translation import override

from tests.device_page import (
    BOOSTED,
    FROM_HISTORY,
    HTMX,
    URL,
    focused,
    id_of,
    is_signed_in,
    listed,
    make_user,
    proof,
    rename_url,
    revoke_url,
    said,
    signed_in,
)
from wagtail_user_sessions.client import geoip, user_agent
from wagtail_user_sessions.devices_page import formatting, page_config
from wagtail_user_sessions.devices_page.own_sessions import OwnSessions
from wagtail_user_sessions.models import Session, SessionQuerySet
from wagtail_user_sessions.sql.instances import copy_instance

pytestmark = [
    pytest.mark.urls("tests.device_page"),
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("engine"),
]

OTHERS = f"{URL}revoke-others/"


@pytest.fixture
def ann(db):
    return make_user()


@pytest.fixture
def here(ann):
    return signed_in(ann)


@pytest.fixture
def there(ann):
    return signed_in(ann)


def text(response):
    html = response.content.decode().replace("<wbr>", "")
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


def change(client, **columns):
    Session.objects.filter(pk=id_of(client)).update(**columns)


def opening_fields(client, of):
    """Of the form with the buttons of a device, sent to the list's own address."""
    html = client.get(URL).content.decode()
    item = html.partition(f'id="wus-{id_of(of)}"')[2]
    return dict(re.findall(r'name="(\w+)" value="([^"]*)"', item.split("<button")[0]))


def ago(**duration):
    return timezone.now() - timedelta(**duration)


# The list


def test_the_current_device_comes_first_then_the_others_by_their_last_activity(ann):
    oldest, here, newest, middle = (signed_in(ann) for _ in range(4))
    change(here, last_activity=ago(days=9))
    change(newest, last_activity=ago(minutes=10))
    # Signed in, and not used since.
    change(middle, last_activity=None, signed_in_at=ago(hours=1))
    change(oldest, last_activity=ago(days=2))
    page = here.get(URL)
    assert listed(page) == [id_of(client) for client in (here, newest, middle, oldest)]
    assert page.content.decode().count("This device") == 1
    assert "You are signed in on 4 devices." in text(page)


def test_each_device_says_what_and_where_it_is_and_since_when(here, there):
    change(
        there,
        last_activity=ago(hours=3),
        city="Linköping",
        country="SE",
        ip="2001:db8::5",
        signed_in_at=timezone.now().replace(year=2026, month=1, day=2),
    )
    page = text(here.get(URL))
    assert "Chrome on Windows" in page
    assert "Linköping, SE" in page
    assert "2001:db8::5" in page
    assert "192.0.2.7" in page
    assert "Active now" in page
    assert "3 hours ago" in page
    assert "Jan. 2, 2026" in page


def test_an_ip_address_may_be_broken_between_its_groups_alone(here):
    change(here, ip="2001:db8::5")
    assert "2001:<wbr>db8::<wbr>5</bdi>" in here.get(URL).content.decode()
    change(here, ip="192.0.2.7")
    assert "<bdi>192.0.2.7</bdi>" in here.get(URL).content.decode()


def test_a_date_is_written_as_the_language_does(here):
    change(here, signed_in_at=timezone.now().replace(year=2026, month=1, day=2))
    with override("ar"):
        page = text(here.get(URL))
    assert "2 يناير، 2026" in page


def test_a_relative_time_carries_the_exact_one(here, there):
    moment = ago(hours=3)
    change(there, last_activity=moment)
    page = here.get(URL).content.decode()
    assert f'<time datetime="{moment.isoformat()}"' in page


def test_a_device_may_be_active_until_its_activity_would_have_been_written(
    here, there, settings
):
    settings.WAGTAIL_USER_SESSIONS_ACTIVITY_INTERVAL = 600
    change(there, last_activity=ago(seconds=650))
    assert all(device.is_active_now for device in here.get(URL).context["devices"])
    change(there, last_activity=ago(seconds=670))
    _, other = here.get(URL).context["devices"]
    assert not other.is_active_now


def test_a_session_that_ends_with_the_browser_says_so_and_no_date(here, there):
    session = there.session
    session.set_expiry(0)
    session.save()
    current, other = here.get(URL).context["devices"]
    assert other.ends_with_browser
    assert not current.ends_with_browser
    assert text(here.get(URL)).count("When the browser closes") == 1


def test_without_an_expiry_of_its_own_the_setting_decides(here, settings):
    settings.SESSION_EXPIRE_AT_BROWSER_CLOSE = True
    assert "When the browser closes" in text(here.get(URL))


def test_a_name_stands_in_the_place_of_the_label_which_follows_it(here):
    change(here, name="<b>Kitchen</b>")
    page = here.get(URL).content.decode()
    assert "<bdi>&lt;b&gt;Kitchen&lt;/b&gt;</bdi>" in page
    assert "Chrome on Windows" in page


def test_no_session_that_would_be_refused_is_listed(ann, here, there):
    signed_in(make_user("bob"))
    expired = signed_in(ann)
    change(expired, expire_date=ago(seconds=1))
    change(there, auth_digest=b"0" * 16)
    page = here.get(URL)
    assert listed(page) == [id_of(here)]
    assert "You are signed in on 1 device." in text(page)


def test_a_session_of_before_a_rotation_of_the_secret_is_listed(ann, here, settings):
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another secret"
    assert listed(here.get(URL)) == [id_of(here)]


def test_a_list_with_one_device_explains_itself(here):
    page = text(here.get(URL))
    assert "You aren't signed in anywhere else" in page
    assert "Sign out everywhere else" not in page


@pytest.mark.parametrize("kind", [None, HTMX])
def test_a_long_list_shows_10_and_30_more_at_a_time(ann, here, kind):
    for _ in range(44):
        signed_in(ann)
    page = here.get(URL, headers=kind)
    assert len(listed(page)) == 10
    assert "You are signed in on 45 devices." in text(page)
    assert "35 devices are not shown." in text(page)
    assert 'name="more" value="40"' in page.content.decode()
    page = here.get(URL, {"more": "40"}, headers=kind)
    assert len(listed(page)) == 40
    assert focused(page) == [f"wus-title-{listed(page)[10]}"]
    page = here.get(URL, {"more": "70"}, headers=kind)
    assert len(listed(page)) == 45
    assert "not shown" not in text(page)
    assert focused(page) == [f"wus-title-{listed(page)[40]}"]


@pytest.mark.parametrize("count", [1, 10, 500])
def test_the_page_takes_the_same_queries_for_any_number_of_sessions(
    ann, engine, count, django_assert_num_queries
):
    here = signed_in(ann)
    row = Session.objects.get(pk=id_of(here))
    copies = []
    for number in range(count - 1):
        row.pk, row.key_hash = uuid.uuid4(), number.to_bytes(32)
        copies.append(copy_instance(row))
    Session.objects.bulk_create(copies)
    here.get(URL)
    here.get(URL)
    # Who is signed in, for which cached_db needs no query for the session; then
    # the count, and the rows.
    signing_in = 2 if engine.__name__.endswith(".db") else 1
    with django_assert_num_queries(signing_in + 2):
        page = here.get(URL, {"shown": "1000"})
    assert len(listed(page)) == count


def test_a_longer_list_looks_up_no_more_addresses_and_translations(
    ann, here, monkeypatch
):
    looked_up = []

    def watched(function):
        def watch(*args, **kwargs):
            looked_up.append(args)
            return function(*args, **kwargs)

        return watch

    monkeypatch.setattr(page_config, "reverse", watched(page_config.reverse))
    monkeypatch.setattr(formatting, "_", watched(formatting._))
    monkeypatch.setattr(formatting, "get_format", watched(formatting.get_format))
    counts = set()
    for count in (2, 20):
        for _ in range(count):
            signed_in(ann)
        looked_up.clear()
        here.get(URL)
        counts.add(len(looked_up))
    assert len(counts) == 1


def test_a_part_of_a_device_takes_no_more_than_it_is_said_to(
    ann, here, there, settings, tmp_path
):
    before = here.get(URL).content.decode()
    partial = "wagtail_user_sessions/partials/device.html"
    source = get_template(partial).template.source
    for name, only in {
        "facts": "device=device",
        "sign_out": "device=device devices=devices",
        "icon": "kind=device.kind",
    }.items():
        source = re.sub(
            rf'({{% include "[^"]*/{name}.html").*? %}}',
            rf"\1 with {only} only %}}",
            source,
        )
    assert source.count(" only %}") == 3
    (tmp_path / partial).parent.mkdir(parents=True)
    (tmp_path / partial).write_text(source)
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": [tmp_path]}]
    assert here.get(URL).content.decode() == before


def test_no_user_agent_is_parsed_and_no_geoip_file_opened_for_a_list(
    here, there, monkeypatch
):
    def refuse(*args, **kwargs):
        raise AssertionError("a list was about to parse")

    monkeypatch.setattr(user_agent, "parse_user_agent", refuse)
    monkeypatch.setattr(geoip, "locate", refuse)
    assert len(listed(here.get(URL))) == 2


# Who may look


def test_a_visitor_is_sent_to_the_login_page_and_comes_back(client):
    page = client.get(URL, {"shown": "50"})
    assert page.status_code == 302
    assert page.url == "/login/?next=/devices/%3Fshown%3D50"


def test_a_login_page_on_another_host_learns_the_whole_address(client, settings):
    settings.LOGIN_URL = "https://id.example/login"
    assert client.get(URL).url.endswith("?next=http%3A//testserver/devices/")


@pytest.mark.parametrize("query", ["", "?refresh=1", "?confirm=others"])
def test_a_fragment_for_who_is_signed_out_sends_the_whole_page_to_the_login(
    client, query
):
    answer = client.get(URL + query, headers=HTMX)
    assert answer.status_code == 200
    assert answer["HX-Redirect"] == "/login/?next=/devices/"
    assert not answer.content


@pytest.mark.parametrize("kind", [BOOSTED, FROM_HISTORY])
def test_a_whole_page_for_who_is_signed_out_is_redirected(client, kind):
    assert client.get(URL, headers=kind).url == "/login/?next=/devices/"


@pytest.mark.parametrize("path", ["revoke/", "rename/"])
@pytest.mark.parametrize("kind", [None, HTMX])
def test_an_action_of_who_is_signed_out_does_nothing(here, path, kind):
    url = f"{URL}{id_of(here)}/{path}"
    answer = Client().post(url, {"name": "x"}, headers=kind)
    assert answer.url == "/login/?next=/devices/"
    assert is_signed_in(here)
    assert Session.objects.get(pk=id_of(here)).name == ""


def test_djangos_login_required_middleware_leaves_the_answer_to_the_page(
    client, settings
):
    settings.MIDDLEWARE = [
        *settings.MIDDLEWARE,
        "django.contrib.auth.middleware.LoginRequiredMiddleware",
    ]
    answer = client.get(URL, headers=HTMX)
    assert answer["HX-Redirect"] == "/login/?next=/devices/"
    assert client.get(URL).url == "/login/?next=/devices/"


@pytest.mark.parametrize("kind", [None, HTMX])
@pytest.mark.parametrize("path", ["revoke/", "rename/"])
@pytest.mark.parametrize("whose", ["foreign", "unknown"])
def test_a_foreign_or_unknown_id_is_not_found(here, path, kind, whose):
    bob = signed_in(make_user("bob"))
    pk = id_of(bob) if whose == "foreign" else uuid.uuid4()
    answer = here.post(f"{URL}{pk}/{path}", {"name": "mine"}, headers=kind)
    assert answer.status_code == 404
    assert "no-store" in answer["Cache-Control"]
    assert Session.objects.get(pk=id_of(bob)).name == ""
    assert is_signed_in(bob)


@pytest.mark.parametrize("path", ["revoke/", "rename/"])
def test_the_proof_of_ones_own_device_opens_no_other(here, there, path):
    bob = signed_in(make_user("bob"))
    data = {**proof(here, there), "name": "mine"}
    assert here.post(f"{URL}{id_of(bob)}/{path}", data).status_code == 404
    assert bob.post(f"{URL}{id_of(there)}/{path}", data).status_code == 404
    assert is_signed_in(there)


def test_the_sites_own_page_of_404_is_shown(here, settings):
    settings.ROOT_URLCONF = "tests.urls_not_found"
    answer = here.post(f"{URL}{uuid.uuid4()}/revoke/")
    assert answer.status_code == 404
    assert answer.content == b"the site's own"


@pytest.mark.parametrize("kind", [{}, HTMX])
@pytest.mark.parametrize("asked", ["confirm", "rename"])
def test_a_question_about_a_device_of_ones_own_that_has_gone_is_answered(
    here, there, asked, kind
):
    query = {**opening_fields(here, there), asked: str(id_of(there))}
    there.session.delete()
    page = here.get(URL, query, headers=kind)
    assert said(page) == ["That device is already signed out."]
    assert listed(page) == [id_of(here)]
    assert focused(page) == ["wus-summary"]


@pytest.mark.parametrize("kind", [{}, HTMX])
@pytest.mark.parametrize("asked", ["confirm", "rename"])
def test_a_question_about_a_foreign_or_unknown_id_is_not_found(
    here, there, asked, kind
):
    data = opening_fields(here, there)
    bob = signed_in(make_user("bob"))
    for pk in (id_of(bob), uuid.uuid4()):
        for query in ({asked: str(pk)}, {**data, asked: str(pk)}):
            answer = here.get(URL, query, headers=kind)
            assert answer.status_code == 404
            assert "no-store" in answer["Cache-Control"]


@pytest.mark.parametrize("query", ["confirm=x", "rename=x", "rename=others"])
def test_a_question_about_nonsense_is_ignored(here, query):
    page = here.get(f"{URL}?{query}")
    assert said(page) == []
    assert listed(page) == [id_of(here)]


# What all answers have in common


def refused(here):
    """The same browser, whose token was rotated in another tab."""
    client = Client(enforce_csrf_checks=True)
    client.cookies["sessionid"] = here.cookies["sessionid"].value
    return client


def every_answer(here, there):
    """Answers to each way of asking each view."""
    for kind in ({}, HTMX, BOOSTED, FROM_HISTORY):
        yield here.get(URL, headers=kind)
        yield here.get(URL, {"confirm": id_of(there)}, headers=kind)
        yield here.get(URL, {"refresh": "1"}, headers=kind)
        yield here.post(URL, headers=kind)
        yield here.post(rename_url(there), {"name": "x"}, headers=kind)
        yield here.post(rename_url(there), {"name": "x" * 99}, headers=kind)
        yield here.post(f"{URL}{uuid.uuid4()}/revoke/", headers=kind)
        yield here.get(revoke_url(there), headers=kind)
        yield Client().get(URL, headers=kind)
        yield Client().post(OTHERS, headers=kind)
        yield refused(here).post(OTHERS, headers=kind)
    yield here.post(revoke_url(there))
    yield here.post(OTHERS, headers=HTMX)
    yield here.post(revoke_url(here), headers=HTMX)


def test_no_answer_may_be_kept_and_each_varies_by_who_asks(here, there):
    for answer in every_answer(here, there):
        assert "no-store" in answer["Cache-Control"]
        assert "HX-Request" in answer["Vary"]


def test_no_answer_holds_a_session_key(here, there):
    keys = [client.cookies["sessionid"].value for client in (here, there)]
    for answer in every_answer(here, there):
        sent = answer.content.decode() + str(answer.headers)
        assert not any(key in sent for key in keys)


def test_looking_changes_nothing(here, there):
    before = list(Session.objects.order_by("pk").values())
    for url in (revoke_url(there), rename_url(there), OTHERS, revoke_url(here)):
        assert here.get(url).status_code == 302
        assert here.head(url).status_code == 302
        assert here.delete(url).status_code == 405
    for query in ("confirm=others", "rename=x", f"confirm={id_of(there)}", "more=50"):
        here.get(f"{URL}?{query}")
    assert list(Session.objects.order_by("pk").values()) == before


@pytest.mark.parametrize("has_middleware", [True, False])
def test_every_action_requires_the_token(ann, there, settings, has_middleware):
    if has_middleware:
        settings.MIDDLEWARE = [
            *settings.MIDDLEWARE,
            "django.middleware.csrf.CsrfViewMiddleware",
        ]
    here = signed_in(ann, enforce_csrf_checks=True)
    for url in (revoke_url(there), rename_url(there), OTHERS, revoke_url(here)):
        assert here.post(url, {"name": "x"}, headers=HTMX).status_code == 403
    assert is_signed_in(there)
    assert here.post(revoke_url(there), proof(here, there)).status_code == 302
    assert not is_signed_in(there)


@pytest.mark.parametrize(
    ("kind", "is_page"),
    [({}, True), (HTMX, False), (BOOSTED, True), (FROM_HISTORY, True)],
)
def test_only_a_request_for_a_part_of_the_page_gets_a_part(here, kind, is_page):
    page = here.get(URL, headers=kind).content.decode()
    assert ("<html" in page) == is_page
    assert page.count('id="wus-list"') == 1


# Signing out


def test_signing_a_device_out_refuses_its_next_request(here, there):
    page = here.post(revoke_url(there), headers=HTMX)
    assert listed(page) == [id_of(here)]
    assert said(page) == ["Signed out: Chrome on Windows."]
    assert focused(page) == ["wus-summary"]
    assert not is_signed_in(there)
    assert is_signed_in(here)


def test_the_focus_goes_to_the_device_that_took_the_place(ann, here):
    first, second, third = (signed_in(ann) for _ in range(3))
    for hours, client in enumerate((first, second, third), start=1):
        change(client, last_activity=ago(hours=hours))
    page = here.post(revoke_url(second), headers=HTMX)
    assert focused(page) == [f"wus-sign-out-{id_of(third)}"]
    page = here.post(revoke_url(third), headers=HTMX)
    assert focused(page) == [f"wus-sign-out-{id_of(first)}"]


@pytest.mark.parametrize("kind", [{}, HTMX])
def test_a_device_that_was_signed_out_meanwhile_simply_goes(here, there, kind):
    data = proof(here, there)
    url = revoke_url(there)
    there.session.delete()
    page = here.post(url, data, headers=kind)
    if not kind:
        assert page.url == URL
        page = here.get(URL)
    assert said(page) == ["That device is already signed out."]
    assert listed(page) == [id_of(here)]


def test_signing_out_this_device_logs_out(here, there):
    pk = id_of(here)
    answer = here.post(revoke_url(here), headers=HTMX)
    assert answer["HX-Redirect"] == "/"
    assert not Session.objects.filter(pk=pk).exists()
    assert not is_signed_in(here)
    assert is_signed_in(there)


@pytest.mark.parametrize("kind", [{}, HTMX])
def test_signing_out_this_device_logs_out_though_it_has_just_ended(
    here, kind, monkeypatch
):
    pk = id_of(here)
    ordinary = OwnSessions.__init__

    def ending(self, request):
        ordinary(self, request)
        Session.objects.filter(pk=pk).delete()

    monkeypatch.setattr(OwnSessions, "__init__", ending)
    answer = here.post(f"{URL}{pk}/revoke/", headers=kind)
    assert answer.url == "/"
    assert answer.cookies["sessionid"]["max-age"] == 0


def test_a_device_that_ends_while_it_is_renamed_simply_goes(here, there, monkeypatch):
    monkeypatch.setattr(Session, "rename", lambda *args: False)
    page = here.post(rename_url(there), {"name": "Kitchen"}, headers=HTMX)
    assert said(page) == ["That device is already signed out."]


def test_a_device_that_ends_while_the_list_is_read_is_not_counted_below_zero(
    here, there, monkeypatch
):
    monkeypatch.setattr(SessionQuerySet, "count", lambda rows: len(rows) - 1)
    assert "not shown" not in text(here.get(URL))


def test_without_a_page_after_logging_out_it_is_the_login_page(here, settings):
    settings.LOGOUT_REDIRECT_URL = None
    assert here.post(revoke_url(here)).url == "/login/"


def test_signing_out_everywhere_else_asks_with_the_number(ann, here, there):
    signed_in(ann)
    page = here.get(URL, {"confirm": "others"}, headers=HTMX)
    assert "Sign out 2 other devices?" in text(page)
    assert focused(page) == ["wus-confirm"]
    assert is_signed_in(there)


def test_signing_out_everywhere_else_leaves_this_device_and_all_other_users(
    ann, here, there
):
    also, bob = signed_in(ann), signed_in(make_user("bob"))
    page = here.post(OTHERS, headers=HTMX)
    assert said(page) == ["Signed out 2 other devices."]
    assert listed(page) == [id_of(here)]
    assert focused(page) == ["wus-summary"]
    assert [is_signed_in(c) for c in (here, there, also, bob)] == [1, 0, 0, 1]


def test_not_you_signs_out_the_others_and_leads_to_the_password(here, there):
    page = here.get(URL, {"confirm": "not_you"})
    assert "Sign out 1 other device, and choose a new password?" in text(page)
    answer = here.post(OTHERS, {"change_password": "1"}, headers=HTMX)
    assert answer["HX-Redirect"] == "/password/"
    assert not is_signed_in(there)
    assert said(here.get(URL)) == ["Signed out 1 other device."]


def test_the_page_of_the_password_may_be_named_by_a_setting(here, there, settings):
    settings.WAGTAIL_USER_SESSIONS_PASSWORD_CHANGE_URL = "/new-password/"
    assert here.post(OTHERS, {"change_password": "1"}).url == "/new-password/"


def test_a_site_without_a_page_for_the_password_doesnt_offer_it(here, there, settings):
    settings.ROOT_URLCONF = "tests.urls"
    page = text(here.get(URL, {"confirm": "not_you"}))
    assert "Not you?" not in page
    assert "password" not in page
    assert "Sign out everywhere else" in page
    assert here.post(OTHERS, {"change_password": "1"}).url == URL


def test_a_cache_that_could_not_be_told_is_told_of(here, there, engine, monkeypatch):
    monkeypatch.setattr(
        "wagtail_user_sessions.cache.copies._try", lambda *a, **k: False
    )
    done, *warnings = said(here.post(revoke_url(there), headers=HTMX))
    assert done == "Signed out: Chrome on Windows."
    # The engine db has no cache.
    assert len(warnings) == engine.__name__.endswith("cached_db")
    for warning in warnings:
        assert warning.endswith("may have access for up to 5 minutes.")


def test_an_action_keeps_the_list_as_long_as_it_was(ann, here):
    others = [signed_in(ann) for _ in range(30)]
    page = here.get(URL, {"shown": "50", "confirm": str(id_of(others[0]))})
    assert f'{revoke_url(others[0])}?shown=50"' in page.content.decode()
    page = here.post(f"{revoke_url(others[0])}?shown=50", headers=HTMX)
    assert len(listed(page)) == 30
    assert here.post(f"{revoke_url(others[1])}?shown=50").url == f"{URL}?shown=50"


def test_what_is_said_tells_the_device_from_others_of_its_kind(here, there):
    change(there, city="Linköping", country="SE")
    page = here.post(revoke_url(there), headers=HTMX)
    assert said(page) == ["Signed out: Chrome on Windows (Linköping, SE)."]


def test_without_javascript_the_next_page_says_what_was_done(here, there):
    answer = here.post(revoke_url(there))
    assert answer.url == URL
    assert said(here.get(URL)) == ["Signed out: Chrome on Windows."]
    assert said(here.get(URL)) == []


def test_a_message_that_the_sites_own_base_shows_is_not_shown_twice(
    here, there, settings, tmp_path
):
    base = tmp_path / "wagtail_user_sessions" / "base.html"
    base.parent.mkdir()
    base.write_text("{{ messages|join:'' }}{% block content %}{% endblock %}")
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": [tmp_path]}]
    here.post(revoke_url(there))
    page = here.get(URL)
    assert page.content.startswith(b"Signed out: Chrome on Windows.")
    assert said(page) == []


def test_the_address_of_an_action_asks_who_comes_to_it_from_a_login(here, there):
    pk = id_of(there)
    assert here.get(revoke_url(there)).url == f"{URL}?confirm={pk}"
    assert here.get(rename_url(there)).url == f"{URL}?rename={pk}"
    assert here.get(OTHERS).url == f"{URL}?confirm=others"
    assert here.get(f"{URL}{uuid.uuid4()}/revoke/").status_code == 404
    bob = signed_in(make_user("bob"))
    assert bob.get(revoke_url(there)).status_code == 404


def test_a_device_that_others_have_pushed_off_the_list_is_still_asked_about(ann, here):
    pushed = signed_in(ann)
    change(pushed, last_activity=ago(days=1))
    for _ in range(10):
        signed_in(ann)
    page = here.get(URL, {"confirm": str(id_of(pushed))})
    assert said(page) == []
    assert focused(page) == [f"wus-confirm-{id_of(pushed)}"]
    page = here.post(rename_url(pushed), {"name": "x" * 65}, headers=HTMX)
    assert "at most 64 characters" in text(page)
    assert len(listed(page)) == 11


def test_what_is_beyond_the_longest_list_is_counted(ann, here, monkeypatch):
    monkeypatch.setattr("wagtail_user_sessions.devices_page.list_params.MAX_SHOWN", 10)
    monkeypatch.setattr("wagtail_user_sessions.devices_page.device_list.MAX_SHOWN", 10)
    for _ in range(14):
        signed_in(ann)
    page = text(here.get(URL))
    assert "5 devices are not shown." in page
    assert "Show more" not in page


def test_a_proof_of_before_a_rotation_of_the_secret_is_believed(here, there, settings):
    data = proof(here, there)
    url = revoke_url(there)
    there.session.delete()
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another secret"
    assert here.post(url, data).url == URL


def test_the_urls_may_stand_below_a_namespace_of_the_sites(here, settings):
    settings.ROOT_URLCONF = "tests.urls_nested"
    page = here.get(URL)
    assert listed(page) == [id_of(here)]
    assert f'action="{URL}"' in page.content.decode()


def test_a_template_may_ask_more_than_once_what_has_happened(
    here, there, settings, tmp_path
):
    partial = tmp_path / "wagtail_user_sessions" / "partials" / "message.html"
    partial.parent.mkdir(parents=True)
    partial.write_text("{% if notices %}({{ notices|join:'' }}){% endif %}")
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": [tmp_path]}]
    here.post(revoke_url(there))
    assert "(Signed out: Chrome on Windows.)" in here.get(URL).content.decode()


# Renaming


def test_a_device_is_renamed(here, there):
    page = here.get(URL, {"rename": str(id_of(there))}, headers=HTMX)
    assert focused(page) == [f"wus-name-{id_of(there)}"]
    page = here.post(rename_url(there), {"name": " Kitchen tablet "}, headers=HTMX)
    assert said(page) == ["The device is now called Kitchen tablet."]
    assert focused(page) == [f"wus-rename-{id_of(there)}"]
    assert "Kitchen tablet" in text(here.get(URL))
    assert "Kitchen tablet" in text(there.get(URL))


def test_an_empty_name_takes_the_name_away(here, there):
    change(there, name="Kitchen")
    page = here.post(rename_url(there), {"name": " "}, headers=HTMX)
    assert said(page) == ["The name was taken away."]
    assert Session.objects.get(pk=id_of(there)).name == ""


@pytest.mark.parametrize("kind", [{}, HTMX])
def test_a_name_that_is_too_long_is_refused_and_kept_in_the_form(here, there, kind):
    page = here.post(rename_url(there), {"name": "x" * 65}, headers=kind)
    assert page.status_code == 200
    assert "at most 64 characters" in text(page)
    assert f'value="{"x" * 65}"' in page.content.decode()
    assert focused(page) == [f"wus-name-{id_of(there)}"]
    assert Session.objects.get(pk=id_of(there)).name == ""


def test_a_new_name_outlives_what_a_copy_in_the_cache_says(here, there):
    store = type(there.session)
    key = there.session.session_key
    for _ in range(2):
        store(key).keys()
    here.post(rename_url(there), {"name": "Kitchen"})
    again = store(key)
    again.keys()
    assert again.row.name == "Kitchen"


# The refresh of the page by itself


@pytest.mark.parametrize("asked", ["confirm", "rename"])
def test_a_refresh_shows_the_list_though_what_is_open_has_gone(here, there, asked):
    url = f"{URL}?{asked}={id_of(there)}&refresh=1"
    there.session.delete()
    page = here.get(url, headers=HTMX)
    assert page.status_code == 200
    assert listed(page) == [id_of(here)]
    assert said(page) is None


def test_a_refresh_says_nothing_and_takes_no_focus(here, there):
    page = here.get(f"{URL}?confirm={id_of(there)}&refresh=1", headers=HTMX)
    assert said(page) is None
    assert focused(page) == []
    assert "Sign out Chrome on Windows?" in text(page)


def test_a_refresh_is_no_activity(here, settings):
    settings.SESSION_SAVE_EVERY_REQUEST = True
    here.get(URL)
    change(here, last_activity=ago(hours=1), expire_date=timezone.now() + timedelta(1))
    before = Session.objects.values("last_activity", "expire_date").get()
    # A copy in the cache doesn't know of the change above.
    row = Session.objects.get()
    row.get_session_store_class().purge_changed(row.key_hash)
    assert here.get(URL, {"refresh": "1"}, headers=HTMX).status_code == 200
    assert Session.objects.values("last_activity", "expire_date").get() == before
    # Not so for a page that only says that it was one.
    here.get(URL, {"refresh": "1"})
    after = Session.objects.values("last_activity", "expire_date").get()
    assert after["last_activity"] > before["last_activity"]
    assert after["expire_date"] > before["expire_date"]


# Languages


def test_the_page_is_set_from_right_to_left_where_the_language_is(here, settings):
    with override("ar"):
        page = here.get(URL).content.decode()
    assert '<html lang="ar" dir="rtl">' in page


def test_another_engine_is_named_as_the_cause(ann, settings):
    settings.SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"
    here = Client()
    here.force_login(ann)
    with pytest.raises(ImproperlyConfigured, match="SESSION_ENGINE"):
        here.get(URL)


def test_numbers_in_forms_are_such_as_the_views_can_read(here, settings):
    settings.USE_THOUSAND_SEPARATOR = True
    page = here.get(URL, {"shown": "1000"}).content.decode()
    assert 'name="shown" value="1000"' in page


def test_a_message_has_its_look_whatever_tags_the_site_gives_to_levels(here, settings):
    settings.MESSAGE_TAGS = {messages.SUCCESS: "alert-success"}
    there = signed_in(get_user_model().objects.get(username="ann"))
    data = proof(here, there)
    page = here.post(revoke_url(there), data, headers=HTMX).content.decode()
    assert "wus-notice wus-notice--success" in page
