"""The device list: its devices, and the details that it shows of each."""

import re
import uuid

import pytest
from django.template.loader import get_template
from django.utils import timezone
from django.utils.translation import override

from tests.devices_page.page import ago, change, text
from tests.urls_devices_page import (
    HTMX,
    URL,
    focused,
    id_of,
    listed,
    make_user,
    rename_url,
    said,
    signed_in,
)
from wagtail_user_sessions.client import geoip, user_agent
from wagtail_user_sessions.devices_page import formatting, page_config
from wagtail_user_sessions.models import Session, SessionQuerySet
from wagtail_user_sessions.sql.instances import copy_instance

pytestmark = [
    pytest.mark.urls("tests.urls_devices_page"),
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("engine"),
]


def test_the_current_device_comes_first_then_the_others_by_their_last_activity(ann):
    oldest, here, newest, middle = (signed_in(ann) for _ in range(4))
    change(here, last_activity=ago(days=9))
    change(newest, last_activity=ago(minutes=10))
    # No activity since the sign-in.
    change(middle, last_activity=None, signed_in_at=ago(hours=1))
    change(oldest, last_activity=ago(days=2))
    page = here.get(URL)
    assert listed(page) == [id_of(client) for client in (here, newest, middle, oldest)]
    assert page.content.decode().count("This device") == 1
    assert "You are signed in on 4 devices." in text(page)


def test_the_current_device_is_listed_where_all_others_have_been_used_since(ann, here):
    others = [signed_in(ann) for _ in range(10)]
    for number, client in enumerate(others):
        change(client, last_activity=ago(minutes=number))
    change(here, last_activity=ago(days=1))
    page = here.get(URL)
    assert listed(page) == [id_of(client) for client in (here, *others[:9])]
    assert "1 device is not shown." in text(page)


def test_a_device_shows_its_label_place_address_and_times(here, there):
    change(
        there,
        last_activity=ago(hours=3),
        city="Linköping",
        country="SE",
        ip="2001:db8::5",
        signed_in_at=timezone.localtime().replace(year=2026, month=1, day=2),
    )
    page = text(here.get(URL))
    assert "Chrome on Windows" in page
    assert "Linköping, SE" in page
    assert "2001:db8::5" in page
    assert "192.0.2.7" in page
    assert "Active now" in page
    assert "3 hours ago" in page
    assert "Jan. 2, 2026" in page


def test_an_ip_address_breaks_between_its_groups_only(here):
    change(here, ip="2001:db8::5")
    assert "2001:<wbr>db8::<wbr>5</bdi>" in here.get(URL).content.decode()
    change(here, ip="192.0.2.7")
    assert "<bdi>192.0.2.7</bdi>" in here.get(URL).content.decode()


def test_a_date_is_formatted_in_the_language_of_the_page(here):
    change(here, signed_in_at=timezone.localtime().replace(year=2026, month=1, day=2))
    with override("ar"):
        page = text(here.get(URL))
    assert "2 يناير، 2026" in page


def test_a_relative_time_has_the_exact_one_as_datetime(here, there):
    last_activity = ago(hours=3)
    change(there, last_activity=last_activity)
    page = here.get(URL).content.decode()
    exact = timezone.localtime(last_activity).isoformat()
    assert f'<time datetime="{exact}"' in page


def test_a_device_is_active_until_an_activity_write_would_be_late(
    here, there, settings
):
    settings.WAGTAIL_USER_SESSIONS_ACTIVITY_INTERVAL = 600
    change(there, last_activity=ago(seconds=650))
    assert all(device.is_active_now for device in here.get(URL).context["devices"])
    change(there, last_activity=ago(seconds=670))
    _, other = here.get(URL).context["devices"]
    assert not other.is_active_now


def test_a_session_that_ends_with_the_browser_shows_no_date(here, there):
    session = there.session
    session.set_expiry(0)
    session.save()
    current, other = here.get(URL).context["devices"]
    assert other.ends_with_browser
    assert not current.ends_with_browser
    assert text(here.get(URL)).count("When the browser closes") == 1


def test_a_session_without_its_own_expiry_follows_the_setting(here, settings):
    settings.SESSION_EXPIRE_AT_BROWSER_CLOSE = True
    assert "When the browser closes" in text(here.get(URL))


def test_a_named_device_shows_its_name_and_then_its_label(here):
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


def test_a_session_from_before_a_secret_rotation_is_listed(ann, here, settings):
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another secret"
    assert listed(here.get(URL)) == [id_of(here)]


def test_a_list_with_one_device_offers_no_sign_out_elsewhere(here):
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
    ann, count, statements
):
    here = signed_in(ann)
    row = Session.objects.get(pk=id_of(here))
    copies = []
    for number in range(count - 1):
        row.pk, row.key_hash = uuid.uuid4(), number.to_bytes(32)
        copies.append(copy_instance(row))
    Session.objects.bulk_create(copies)
    here.get(URL)
    with statements() as made:
        page = here.get(URL, {"shown": "1000"})
    assert len(listed(page)) == count
    by_key, user, *lists = made.all
    assert "session_data" in by_key.split("FROM")[0]
    assert "key_hash" in by_key.split("WHERE")[1]
    assert "password" in user.split("FROM")[0]
    # The rows, and their count.
    assert len(lists) == 2


def test_a_longer_list_looks_up_no_more_urls_and_translations(ann, here, monkeypatch):
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


def test_partials_of_a_device_need_their_documented_context_only(
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


def test_hidden_count_is_not_negative_if_a_device_ends_meanwhile(
    here, there, monkeypatch
):
    monkeypatch.setattr(SessionQuerySet, "count", lambda rows: len(rows) - 1)
    assert "not shown" not in text(here.get(URL))


def test_a_device_pushed_off_the_list_keeps_its_open_part(ann, here):
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


def test_devices_beyond_the_longest_list_are_counted(ann, here, monkeypatch):
    monkeypatch.setattr("wagtail_user_sessions.devices_page.list_params.MAX_SHOWN", 10)
    monkeypatch.setattr("wagtail_user_sessions.devices_page.device_list.MAX_SHOWN", 10)
    for _ in range(14):
        signed_in(ann)
    page = text(here.get(URL))
    assert "5 devices are not shown." in page
    assert "Show more" not in page


def test_the_page_of_a_right_to_left_language_has_that_direction(here, settings):
    with override("ar"):
        page = here.get(URL).content.decode()
    assert '<html lang="ar" dir="rtl">' in page


def test_numbers_in_forms_have_no_thousand_separator(here, settings):
    settings.USE_THOUSAND_SEPARATOR = True
    page = here.get(URL, {"shown": "1000"}).content.decode()
    assert 'name="shown" value="1000"' in page
