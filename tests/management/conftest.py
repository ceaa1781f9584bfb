from datetime import timedelta
from io import StringIO

import pytest
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.core.management import call_command
from django.utils import timezone

from tests.backends.stored_sessions import again
from wagtail_user_sessions.models import Session
from wagtail_user_sessions.signals import session_ended


class Terminal(StringIO):
    def isatty(self):
        return True


@pytest.fixture
def terminal():
    return Terminal()


@pytest.fixture
def run():
    """Return a function that runs a command, and returns its output and errors."""

    def run(name, *args, **options):
        output, errors = StringIO(), StringIO()
        options = {"stdout": output, "stderr": errors, **options}
        call_command(name, *args, **options)
        return output.getvalue(), errors.getvalue()

    return run


@pytest.fixture
def small_batches(batches_of):
    batches_of(2)


@pytest.fixture
def rows(store):
    return store.get_model_class().objects


@pytest.fixture
def start(store, rows):
    """Return a function that saves a session, of a user if given; returns its key.

    With ``was_visitor`` the user signs in by hand, in a visitor's session with a copy.
    """

    def start(user=None, *, age=None, expired=False, was_visitor=False):
        session = store()
        session["visited"] = True
        if was_visitor:
            session.save()
            for _ in range(3):
                assert again(session)["visited"]
        if user is not None:
            session[SESSION_KEY] = str(user.pk)
            session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
            session[HASH_SESSION_KEY] = user.get_session_auth_hash()
        session.save()
        columns = {}
        if age is not None:
            columns["created_at"] = timezone.now() - age
            columns["signed_in_at"] = None if user is None else columns["created_at"]
        if expired:
            columns["expire_date"] = timezone.now() - timedelta(seconds=1)
        if columns:
            rows.for_key(session.session_key).update(**columns)
        return session.session_key

    return start


@pytest.fixture
def is_alive(store):
    """Return whether a request of a method finds the session of a key."""

    def is_alive(key, method="POST"):
        return again(store(key), method).get("visited") is True

    return is_alive


@pytest.fixture
def ada(django_user_model):
    return django_user_model.objects.create_user("ada", email="ada@example.com")


@pytest.fixture
def ben(django_user_model):
    return django_user_model.objects.create_user("ben")


@pytest.fixture
def root(django_user_model):
    return django_user_model.objects.create_superuser("root")


@pytest.fixture
def ended():
    """The user id, reason and actor of each ``session_ended``."""
    events = []

    def listener(sender, session, reason, actor, **kwargs):
        events.append((session.user_id, reason, actor))

    session_ended.connect(listener, sender=Session)
    yield events
    session_ended.disconnect(listener, sender=Session)
