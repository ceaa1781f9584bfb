"""The calls that the cache of the sessions gets, and the entries of a session there."""

from django.core.cache import cache, caches

from wagtail_user_sessions.backends.db import SessionStore as DBStore
from wagtail_user_sessions.cache import copies
from wagtail_user_sessions.models import Session


class Recorder:
    """The calls that the cache gets, in order."""

    NAMES = ("get_many", "get", "add", "set", "set_many", "delete", "delete_many")

    def __init__(self, monkeypatch):
        self.calls = []
        target = caches["default"]
        for name in self.NAMES:
            monkeypatch.setattr(target, name, self.record(name, getattr(target, name)))

    def record(self, name, function):
        calls = self.calls

        def recorded(keys, *args, **kwargs):
            text = str(list(keys) if name.endswith("_many") else keys)
            kinds = [kind for kind in ("copy", "tag") if f".{kind}." in text]
            # What the cache itself calls on the way is not counted.
            before = len(calls)
            result = function(keys, *args, **kwargs)
            del calls[before:]
            calls.append(f"{name} {'+'.join(kinds)}")
            return result

        return recorded


def names(session):
    return copies._names(session._row.key_hash, Session, "default")


def copy_of(session):
    return cache.get(names(session).copy)


def change_behind_the_cache(session, **data):
    """Change the row as another server does whose cache takes no calls."""
    other = DBStore(session.session_key)
    other.update(data)
    other.save()
