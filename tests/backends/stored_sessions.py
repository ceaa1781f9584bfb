"""Sessions and rows as another request reads them."""

from tests.conftest import set_user
from wagtail_user_sessions.models import Session


def again(session, method="GET"):
    """Return the same session, loaded by another request.

    With ``cached_db``, the third and later GETs of a visitor read a copy.
    """
    other = type(session)(session.session_key)
    other.begin_request(is_read=method == "GET")
    other.keys()
    other.end_request()
    return other


def signed_in_by_hand(store, user, **data):
    """Sign in under the key of a visitor, of whose session a cache has a copy."""
    session = store()
    session.update({"value": 1, **data})
    session.save()
    for _ in range(3):
        assert again(session)["value"] == 1
    set_user(session, user)
    session.save()
    return session


def stored(session):
    """Return the data of the session in the database."""
    return dict(type(session)(session.session_key).items())


def row_of(session):
    return Session.objects.for_key(session.session_key).get()


def values_of(row):
    """Return the values of all columns."""
    return {
        field.attname: getattr(row, field.attname)
        for field in row._meta.concrete_fields
    }
