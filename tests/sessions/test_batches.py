"""Rows deleted by Django's own means: query sets, instances and cascades."""

import sqlite3
import uuid
from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.db import NotSupportedError, connection, transaction
from django.db.models import Count, Exists, F, OuterRef, Window
from django.db.models.functions import RowNumber
from django.db.models.signals import post_delete
from django.utils import timezone

from tests.backends.test_cycle_key import is_signed_in, renew
from tests.conftest import sign_in
from wagtail_user_sessions.models import Reason, Session
from wagtail_user_sessions.sessions.batches import delete_in_batches
from wagtail_user_sessions.signals import session_ended
from wagtail_user_sessions.sql.instances import copy_instance

pytestmark = pytest.mark.django_db(transaction=True)

NEWEST_FIRST = Window(
    RowNumber(), partition_by="user", order_by=[F("created_at").desc(), "pk"]
)
QUERY_SETS = {
    "all": lambda rows: rows,
    "only": lambda rows: rows.only("pk"),
    "only of some": lambda rows: rows.only("id", "ip"),
    "defer": lambda rows: rows.defer("key_hash", "session_data"),
    "join": lambda rows: rows.filter(user__username="alice"),
    "exclude": lambda rows: rows.exclude(user__username="bob"),
    "distinct": lambda rows: rows.filter(user__username="alice").distinct(),
    "count": lambda rows: rows.annotate(n=Count("pk")).filter(n=1),
    "count of joined": lambda rows: rows.annotate(n=Count("user__groups")).filter(n=0),
    "expression": lambda rows: rows.annotate(name_of=F("user__username")),
    "exists": lambda rows: rows.filter(
        Exists(get_user_model().objects.filter(pk=OuterRef("user_id")))
    ),
    "window": lambda rows: rows.annotate(n=NEWEST_FIRST).filter(n__gte=1),
    "ordered": lambda rows: rows.order_by("user__username", "?"),
    "selected": lambda rows: rows.select_related("user"),
}


@pytest.mark.parametrize("name", QUERY_SETS)
def test_whatever_the_query_its_rows_end_and_no_others(store, alice, bob, name):
    ours = [sign_in(store, alice), sign_in(store, alice)]
    theirs = sign_in(store, bob)
    assert all(map(is_signed_in, [*ours, theirs]))
    rows = QUERY_SETS[name](alice.session_set.all())
    assert rows.revoke() == 2
    assert not any(map(is_signed_in, ours))
    assert is_signed_in(theirs)


def test_all_but_the_newest_are_deleted_by_their_rank(store, alice):
    sessions = [sign_in(store, alice) for _ in range(4)]
    for hours, session in enumerate(sessions):
        created_at = timezone.now() - timedelta(hours=hours)
        Session.objects.filter(pk=session.id).update(created_at=created_at)
    rows = Session.objects.annotate(rank=NEWEST_FIRST).filter(rank__gt=1)
    assert rows.delete()[0] == 3
    assert Session.objects.get().pk == sessions[0].id


def test_distinct_rows_take_along_what_a_renewed_key_has_cached(
    store, alice, monkeypatch
):
    session = sign_in(store, alice)
    rows = Session.objects.filter(user__username="alice").distinct()
    list(rows)
    renewed = renew(session)
    assert rows.revoke() == 1
    assert not is_signed_in(renewed)


def test_a_cascade_takes_along_what_a_renewed_key_has_cached(store, alice, monkeypatch):
    session = sign_in(store, alice)
    user = get_user_model().objects.get(pk=alice.pk)
    renewed = []
    ordinary = Session._base_manager.get_queryset().__class__.__iter__

    def renewing(rows):
        found = list(ordinary(rows))
        if rows.model is Session and not renewed:
            # Once the cascade has read the row.
            renewed.append(None)
            renewed[0] = renew(session)
        return iter(found)

    monkeypatch.setattr("django.db.models.query.QuerySet.__iter__", renewing)
    user.delete()
    monkeypatch.undo()
    assert renewed[0].session_key is not None
    assert not is_signed_in(renewed[0])
    assert not type(session)(renewed[0].session_key).keys()


def test_a_receiver_of_the_deletion_can_read_the_data(store, alice):
    session = sign_in(store, alice, cart="full")
    seen = []

    def audit(instance, **kwargs):
        seen.append(instance.get_decoded()["cart"])

    post_delete.connect(audit, sender=Session)
    try:
        store(session.session_key).flush()
        sign_in(store, alice, cart="empty")
        alice.session_set.all().delete()
    finally:
        post_delete.disconnect(audit, sender=Session)
    assert seen == ["full", "empty"]


def test_a_receiver_of_the_end_can_read_the_data(store, alice):
    seen = []

    def note(session, **kwargs):
        seen.append(session.get_decoded()["cart"])

    session_ended.connect(note)
    try:
        for number in range(3):
            sign_in(store, alice, cart=number)
        Session.objects.first().delete()
        Session.objects.defer("session_data").first().revoke()
        Session.objects.all().revoke()
    finally:
        session_ended.disconnect(note)
    assert sorted(seen) == [0, 1, 2]


@pytest.mark.parametrize(
    "refused",
    [
        lambda rows: rows.values("pk").delete(),
        lambda rows: rows.union(rows).delete(),
        lambda rows: rows[:1].delete(),
        lambda rows: rows.distinct("pk").delete(),
    ],
)
def test_a_deletion_that_django_refuses_breaks_no_transaction(store, alice, refused):
    sign_in(store, alice)
    with transaction.atomic():
        with pytest.raises((TypeError, NotSupportedError)):
            refused(Session.objects.all())
        assert Session.objects.count() == 1


@pytest.mark.skipif("connection.vendor != 'sqlite'", reason="a limit of SQLite's")
def test_rows_chosen_by_a_join_may_be_more_than_a_statement_has_variables(
    store, alice, monkeypatch
):
    row = Session.objects.get(pk=sign_in(store, alice).id)
    copies = []
    for number in range(150):
        row.pk, row.key_hash = uuid.uuid4(), number.to_bytes(32)
        copies.append(copy_instance(row))
    Session.objects.bulk_create(copies)
    limit = sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER
    before = connection.connection.setlimit(limit, 120)
    monkeypatch.setattr(type(connection.features), "max_query_params", 120)
    try:
        deleted, _ = Session.objects.filter(user__username="alice").delete()
    finally:
        connection.connection.setlimit(limit, before)
    assert deleted == 151


def test_deleted_rows_are_forgotten_by_their_query_set(store, alice):
    sign_in(store, alice)
    rows = Session.objects.all()
    assert len(rows) == 1
    rows.delete()
    assert len(rows) == 0


def test_a_row_without_a_key_is_no_row_to_delete():
    row = Session()
    row.pk = None
    with pytest.raises(ValueError, match="can't be deleted"):
        row.delete()


@pytest.mark.parametrize(
    "take_away",
    [
        lambda user, row: user.session_set.clear(),
        lambda user, row: user.session_set.remove(row),
        lambda user, row: user.session_set.set([]),
        lambda user, row: Session.objects.update(user=None),
        lambda user, row: Session.objects.update(user_id=None),
    ],
)
def test_a_session_is_not_taken_from_its_user_who_would_stay_signed_in(
    store, alice, take_away
):
    session = sign_in(store, alice)
    with pytest.raises(TypeError, match="delete or revoke"):
        take_away(alice, Session.objects.get())
    assert alice.session_set.count() == 1
    assert is_signed_in(session)


def test_nobody_is_signed_in_to_a_row_that_was_given_to_somebody_else(
    store, alice, bob
):
    session = sign_in(store, alice, cart="full")
    row = Session.objects.get()
    is_signed_in(session)
    assert is_signed_in(session)
    row.user = bob
    row.save()
    assert dict(store(session.session_key).items()) == {"cart": "full"}


# In batches


@pytest.fixture
def make_rows(db):
    """Makes rows of the moments given, expired or not."""

    def make(*moments):
        for number, moment in enumerate(moments):
            key_hash = number.to_bytes(32)
            Session.objects.create(key_hash=key_hash, expire_date=moment)

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


def test_more_rows_of_one_moment_than_a_batch_takes_are_deleted(make_rows, batches_of):
    batches_of(4)
    now = timezone.now()
    early, same = now - timedelta(hours=2), now - timedelta(hours=1)
    make_rows(early, *[same] * 11, now + timedelta(hours=1))
    expired = Session.objects.filter(expire_date__lt=now)
    sizes = sizes_of_batches(expired, by_field="expire_date")
    assert sum(sizes) == 12
    assert max(sizes) == 4
    assert Session.objects.count() == 1


def test_a_batch_names_both_ends_of_its_range(make_rows, batches_of, statements):
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
def test_rows_that_are_made_meanwhile_keep_it_from_ending_no_longer(
    make_rows, batches_of, size
):
    batches_of(size)
    make_rows(*[timezone.now()] * 5)
    batches = delete_in_batches(Session.objects.all(), reason=Reason.REVOKED)
    for made, _ in enumerate(batches, start=1):
        assert made < 10
        key_hash = uuid.uuid4().bytes * 2
        late = uuid.UUID(int=2**128 - 1 - made)
        Session.objects.create(pk=late, key_hash=key_hash, expire_date=timezone.now())


def test_what_others_have_extended_meanwhile_ends_nothing(make_rows, batches_of):
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
