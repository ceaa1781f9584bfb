"""New session keys by ``cycle_key()``."""

import pytest
from django.contrib.sessions.backends.base import UpdateError

from tests.backends.stored_sessions import again, row_of, stored
from tests.conftest import sign_in
from wagtail_user_sessions.models import Session

pytestmark = pytest.mark.django_db(transaction=True)


def test_cycle_key_keeps_id_name_and_creation_and_invalidates_the_old_key(
    store, alice, statements
):
    session = sign_in(store, alice)
    Session.objects.update(name="My desk")
    before, old_key = row_of(session), session.session_key
    with statements() as made:
        session.cycle_key()
    after = row_of(session)
    assert made.verbs == ["UPDATE"]
    assert (after.pk, after.name, after.created_at) == (
        before.pk,
        "My desk",
        before.created_at,
    )
    assert store(old_key).load() == {}
    assert session.session_key != old_key


def test_a_save_under_the_old_key_is_refused(session):
    late = again(session)
    session.cycle_key()
    late["more"] = 1
    with pytest.raises(UpdateError):
        late.save()


def test_cycle_key_of_an_ended_anonymous_session_inserts_a_new_row(session):
    signing_in = again(session, "POST")
    session.delete()
    signing_in.cycle_key()
    assert stored(signing_in)["kept"] == 1


def test_cycle_key_of_an_ended_user_session_is_refused(store, alice):
    session = sign_in(store, alice)
    late = again(session)
    session.delete()
    with pytest.raises(UpdateError):
        late.cycle_key()
    assert not Session.objects.exists()
