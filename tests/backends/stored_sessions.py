"""Sessions and rows as another request reads them."""

from wagtail_user_sessions.models import Session


def again(session):
    """Return the same session, loaded by another request."""
    other = type(session)(session.session_key)
    other.keys()
    return other


def stored(session):
    """Return the data of the session in the database."""
    return dict(again(session).items())


def row_of(session):
    return Session.objects.for_key(session.session_key).get()
