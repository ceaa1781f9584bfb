"""Whether a session is admitted, by its row."""

from datetime import timedelta

import pytest
from django.utils import timezone

from tests.conftest import sign_in
from wagtail_user_sessions.models import Session

pytestmark = pytest.mark.django_db


@pytest.fixture
def row(store, alice):
    sign_in(store, alice)
    return Session.objects.get()


def test_an_expired_row_is_not_active_and_reads_no_user(row, statements):
    row.expire_date = timezone.now() - timedelta(seconds=1)
    row.user_id = -1
    with statements() as made:
        assert not row.is_active
    assert made.all == []


def test_a_row_is_active_while_its_user_may_sign_in_with_the_same_password(row, alice):
    assert row.is_active
    alice.is_active = False
    row.user = alice
    assert not row.is_active
    alice.is_active = True
    alice.set_password("another")
    assert not row.is_active
