"""Users who may no longer sign in: inactive, deleted, with another password."""

import pytest
from django.contrib.auth import get_user_model

from wagtail_user_sessions.cache import copies
from wagtail_user_sessions.middleware import inactive_users
from wagtail_user_sessions.models import Reason
from wagtail_user_sessions.signals import session_ended

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_user_deleted_during_the_request_is_anonymous(browser, alice):
    client = browser(alice)
    assert client.get(f"/delete-user/?pk={alice.pk}").content == b"nobody"


def test_a_deleted_users_session_is_anonymous_also_without_the_cache(
    browser, alice, monkeypatch
):
    def gone():
        raise ConnectionError

    client = browser(alice)
    assert client.get("/whoami/").content == b"alice"
    monkeypatch.setattr(copies, "get_session_cache", gone)
    alice.delete()
    assert client.get("/whoami/").content == b"nobody"


def test_users_without_is_active_are_accepted(browser, alice, settings, monkeypatch):
    class Missing:
        def __get__(self, *args):
            raise AttributeError

    client = browser(alice)
    settings.AUTHENTICATION_BACKENDS = ["tests.auth_backends.Another"]
    monkeypatch.setattr(get_user_model(), "is_active", Missing())
    assert client.get("/whoami/").status_code == 200


def test_a_cached_user_of_none_does_not_count_as_refused(rf):
    request = rf.get("/")
    request._cached_user = None
    assert not inactive_users._was_refused(request)


@pytest.mark.parametrize(
    "deactivate",
    [
        lambda user: get_user_model().objects.update(is_active=False),
        lambda user: setattr(user, "is_active", False) or user.save(),
    ],
)
def test_the_next_request_of_a_deactivated_user_is_refused_and_ends_the_row(
    browser, alice, deactivate
):
    client = browser(alice)
    reasons = []

    def listen(reason, **kwargs):
        reasons.append(reason)

    session_ended.connect(listen)
    deactivate(alice)
    assert not alice.session_set.select_related("user").get().is_active
    assert client.get("/whoami/").content == b"nobody"
    session_ended.disconnect(listen)
    assert not alice.session_set.exists()
    assert reasons == [Reason.USER_INACTIVE]


def test_the_next_request_after_a_new_password_is_refused_and_ends_the_row(
    browser, alice
):
    client = browser(alice)
    alice.set_password("another")
    alice.save()
    assert not alice.session_set.select_related("user").get().is_active
    assert client.get("/whoami/").content == b"nobody"
    assert not alice.session_set.exists()


def test_a_password_change_ends_all_sessions_but_the_current_one(browser, alice):
    here, there = browser(alice), browser(alice)
    response = here.post(
        "/password/",
        {
            "old_password": "secret",
            "new_password1": "Vq7-rain",
            "new_password2": "Vq7-rain",
        },
    )
    assert response.status_code == 302
    assert here.get("/whoami/").content == b"alice"
    assert there.get("/whoami/").content == b"nobody"
    assert alice.session_set.count() == 1


def test_a_rotated_secret_key_signs_nobody_out(browser, alice, settings):
    client = browser(alice)
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another secret"
    assert client.get("/whoami/").content == b"alice"
    settings.SECRET_KEY_FALLBACKS = []
    assert client.get("/whoami/").content == b"alice"


def test_a_session_of_a_removed_backend_is_anonymous_and_keeps_its_row(
    browser, alice, settings
):
    client = browser(alice)
    settings.AUTHENTICATION_BACKENDS = ["tests.auth_backends.Another"]
    assert client.get("/whoami/").content == b"nobody"
    assert alice.session_set.exists()
