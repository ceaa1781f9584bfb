"""Deletion in batches, each of one key range."""

import uuid
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from wagtail_user_sessions.models import Reason, Session
from wagtail_user_sessions.sessions.batches import delete_in_batches

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def make_rows(db):
    """Makes rows that expire at these dates."""

    def make(*dates):
        for number, date in enumerate(dates):
            key_hash = number.to_bytes(32)
            Session.objects.create(key_hash=key_hash, expire_date=date)

    return make


def sizes_of_batches(rows, **options):
    return list(delete_in_batches(rows, reason=Reason.EXPIRED, **options))


@pytest.mark.parametrize("by_field", ["pk", "expire_date"])
def test_batches_delete_all_rows_and_no_others(make_rows, batches_of, by_field):
    batches_of(3)
    now = timezone.now()
    make_rows(*[now + timedelta(minutes=minutes) for minutes in range(-10, 5)])
    expired = Session.objects.filter(expire_date__lt=now)
    assert sizes_of_batches(expired, by_field=by_field) == [3, 3, 3, 1]
    assert Session.objects.count() == 5


def test_batches_delete_more_rows_of_one_time_than_fit_in_one(make_rows, batches_of):
    batches_of(4)
    now = timezone.now()
    early, same = now - timedelta(hours=2), now - timedelta(hours=1)
    make_rows(early, *[same] * 11, now + timedelta(hours=1))
    expired = Session.objects.filter(expire_date__lt=now)
    sizes = sizes_of_batches(expired, by_field="expire_date")
    assert sum(sizes) == 12
    assert max(sizes) == 4
    assert Session.objects.count() == 1


def test_batches_are_bounded_by_their_key_range(make_rows, batches_of, statements):
    batches_of(2)
    now = timezone.now()
    make_rows(*[now - timedelta(minutes=minutes) for minutes in range(1, 7)])
    with statements() as made:
        sizes_of_batches(
            Session.objects.filter(expire_date__lt=now), by_field="expire_date"
        )
    deletions = [sql for sql in made.all if sql.startswith("DELETE")]
    bounded = [sql for sql in deletions if "<=" in sql]
    assert len(bounded) == 3
    assert [" > " in sql for sql in bounded] == [False, True, True]


@pytest.mark.parametrize("size", [2, 100])
def test_batches_end_although_rows_are_inserted_meanwhile(make_rows, batches_of, size):
    batches_of(size)
    make_rows(*[timezone.now()] * 5)
    batches = delete_in_batches(Session.objects.all(), reason=Reason.REVOKED)
    for made, _ in enumerate(batches, start=1):
        assert made < 10
        key_hash = uuid.uuid4().bytes * 2
        late = uuid.UUID(int=2**128 - 1 - made)
        Session.objects.create(pk=late, key_hash=key_hash, expire_date=timezone.now())


def test_batches_leave_alone_rows_that_were_extended_meanwhile(make_rows, batches_of):
    batches_of(3)
    now = timezone.now()
    same = now - timedelta(hours=1)
    make_rows(*[same] * 10, *[now - timedelta(minutes=9 - n) for n in range(5)])
    rows = Session.objects.filter(expire_date__lt=now)

    def extend(execute, sql, *args):
        if sql.startswith("DELETE") and Session.objects.filter(expire_date=same):
            Session.objects.filter(expire_date=same).update(
                expire_date=now + timedelta(days=1)
            )
        return execute(sql, *args)

    with connection.execute_wrapper(extend):
        sizes_of_batches(rows, by_field="expire_date")
    assert Session.objects.count() == 10
