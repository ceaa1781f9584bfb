"""The query set and the model: deletion, updates, and revocation in batches."""

import sqlite3
import uuid
from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.contrib.contenttypes.models import ContentType
from django.db import DatabaseError, NotSupportedError, connection, transaction
from django.db.models import Count, Exists, F, OuterRef, Window
from django.db.models.functions import RowNumber
from django.db.models.signals import post_delete
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tests.backends.test_cycle_key import is_signed_in, renew
from tests.conftest import listening, sign_in
from wagtail_user_sessions.models import Session, SessionQuerySet
from wagtail_user_sessions.sessions import base
from wagtail_user_sessions.sessions.reasons import current_end_context
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


def test_active_and_expired_select_by_the_expiry_date(store, alice):
    current, past = sign_in(store, alice), sign_in(store, alice)
    Session.objects.for_key(past.session_key).update(
        expire_date=timezone.now() - timedelta(seconds=1)
    )
    assert [row.pk for row in Session.objects.active()] == [current.id]
    assert Session.objects.expired().count() == 1
    assert not Session.objects.expired().get().is_active
    assert alice.session_set.filter(expire_date__gt=timezone.now()).count() == 1


@pytest.mark.parametrize("name", QUERY_SETS)
def test_revoke_ends_the_rows_of_any_query_and_no_others(store, alice, bob, name):
    ours = [sign_in(store, alice), sign_in(store, alice)]
    theirs = sign_in(store, bob)
    assert all(map(is_signed_in, [*ours, theirs]))
    rows = QUERY_SETS[name](alice.session_set.all())
    assert rows.revoke() == 2
    assert not any(map(is_signed_in, ours))
    assert is_signed_in(theirs)


def test_delete_by_rank_leaves_the_newest_session(store, alice):
    sessions = [sign_in(store, alice) for _ in range(4)]
    for hours, session in enumerate(sessions):
        created_at = timezone.now() - timedelta(hours=hours)
        Session.objects.filter(pk=session.id).update(created_at=created_at)
    rows = Session.objects.annotate(rank=NEWEST_FIRST).filter(rank__gt=1)
    assert rows.delete()[0] == 3
    assert Session.objects.get().pk == sessions[0].id


def test_revoke_of_distinct_rows_ends_a_session_with_a_renewed_key(store, alice):
    session = sign_in(store, alice)
    rows = Session.objects.filter(user__username="alice").distinct()
    list(rows)
    renewed = renew(session)
    assert rows.revoke() == 1
    assert not is_signed_in(renewed)


def test_a_cascade_ends_a_session_with_a_renewed_key(store, alice, monkeypatch):
    session = sign_in(store, alice)
    user = get_user_model().objects.get(pk=alice.pk)
    renewed = []
    original = Session._base_manager.get_queryset().__class__.__iter__

    def renewing(rows):
        found = list(original(rows))
        if rows.model is Session and not renewed:
            # The cascade has just read the row.
            renewed.append(None)
            renewed[0] = renew(session)
        return iter(found)

    monkeypatch.setattr("django.db.models.query.QuerySet.__iter__", renewing)
    user.delete()
    monkeypatch.undo()
    assert renewed[0].session_key is not None
    assert not is_signed_in(renewed[0])
    assert not type(session)(renewed[0].session_key).keys()


def test_a_post_delete_receiver_can_read_the_session_data(store, alice):
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


def test_a_session_ended_receiver_can_read_the_session_data(store, alice):
    seen = []

    def listen(session, **kwargs):
        seen.append(session.get_decoded()["cart"])

    session_ended.connect(listen)
    try:
        for number in range(3):
            sign_in(store, alice, cart=number)
        Session.objects.first().delete()
        Session.objects.defer("session_data").first().revoke()
        Session.objects.all().revoke()
    finally:
        session_ended.disconnect(listen)
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
def test_delete_by_a_join_works_for_more_rows_than_a_statement_has_variables(
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


def test_delete_clears_the_result_cache_of_the_query_set(store, alice):
    sign_in(store, alice)
    rows = Session.objects.all()
    assert len(rows) == 1
    rows.delete()
    assert len(rows) == 0


def test_delete_raises_for_a_row_without_a_primary_key():
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
def test_update_refuses_to_take_a_session_from_its_user(store, alice, take_away):
    session = sign_in(store, alice)
    with pytest.raises(TypeError, match="delete or revoke"):
        take_away(alice, Session.objects.get())
    assert alice.session_set.count() == 1
    assert is_signed_in(session)


def test_a_row_given_to_another_user_admits_neither_user(store, alice, bob):
    session = sign_in(store, alice, cart="full")
    row = Session.objects.get()
    is_signed_in(session)
    assert is_signed_in(session)
    row.user = bob
    row.save()
    assert dict(store(session.session_key).items()) == {"cart": "full"}


# Revocation in batches


@pytest.fixture
def deletions(monkeypatch):
    """The number of rows of each deletion; calls ``after(number)`` after each."""

    class Deletions(list):
        def after(self, number):
            pass

    made = Deletions()

    def delete_rows(rows):
        deleted = original(rows)
        made.append(deleted[0])
        made.after(len(made))
        return deleted

    original = base.delete_rows
    monkeypatch.setattr(base, "delete_rows", delete_rows)
    return made


def test_revoke_in_batches_deletes_no_more_rows_at_a_time(store, alice, bob, deletions):
    sessions = [sign_in(store, alice) for _ in range(5)]
    theirs = sign_in(store, bob)
    ended = []

    def listen(session, reason, actor, **kwargs):
        ended.append((session.user_id, reason, actor))

    with listening(session_ended, listen):
        count = alice.session_set.all().revoke(
            by=bob, reason="lost phone", batch_size=2
        )
    assert deletions == [2, 2, 1]
    assert (count, count.cache_failed) == (5, False)
    assert ended == [(alice.pk, "lost phone", bob)] * 5
    assert not any(map(is_signed_in, sessions))
    assert is_signed_in(theirs)


def test_revoke_without_a_batch_size_is_one_deletion(store, alice, deletions):
    for _ in range(5):
        sign_in(store, alice)
    assert alice.session_set.all().revoke() == 5
    assert deletions == [5]


def test_revoke_in_batches_of_no_rows_deletes_nothing(store, alice, deletions):
    count = alice.session_set.all().revoke(batch_size=2)
    assert (count, count.cache_failed) == (0, False)
    assert deletions == []


def test_revoke_in_batches_leaves_a_row_alone_that_changed_its_user_meanwhile(
    store, alice, bob, deletions
):
    for _ in range(3):
        sign_in(store, alice)
    changed = []

    def give_one_away(number):
        if number == 1:
            changed.append(alice.session_set.first().pk)
            # Past ``update()``, which would refuse the user alone.
            rows = Session.objects.filter(pk=changed[0])
            rows.update(user=bob, session_data=F("session_data"))

    deletions.after = give_one_away
    assert alice.session_set.all().revoke(batch_size=1) == 2
    assert sorted(deletions) == [0, 1, 1]
    assert [row.pk for row in Session.objects.all()] == changed


@pytest.mark.parametrize("failing", [1, 2, 3, None])
def test_revoke_in_batches_adds_up_counts_and_reports_any_failure_of_the_cache(
    store, alice, deletions, failing
):
    for _ in range(5):
        sign_in(store, alice)

    def fail(number):
        if number == failing:
            current_end_context().cache_failed = True

    deletions.after = fail
    count = alice.session_set.all().revoke(batch_size=2)
    assert (count, count.cache_failed) == (5, failing is not None)


def test_an_error_in_a_batch_leaves_the_batches_before_it_deleted(
    store, alice, deletions
):
    sessions = [sign_in(store, alice) for _ in range(3)]

    def fail(execute, sql, *args):
        if sql.startswith("DELETE") and deletions:
            raise DatabaseError
        return execute(sql, *args)

    with connection.execute_wrapper(fail), pytest.raises(DatabaseError):
        alice.session_set.all().revoke(batch_size=1)
    assert sum(map(is_signed_in, sessions)) == alice.session_set.count() == 2


DJANGO_ADMIN = "/django-admin/wagtail_user_sessions/session/"
SNIPPETS = "wagtailsnippets_wagtail_user_sessions_session"


def delete_selected(client, row):
    data = {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"}
    return client.post(DJANGO_ADMIN, data)


def sign_out_users(client, row):
    data = {"action": "sign_out_users", "_selected_action": [row.pk]}
    return client.post(DJANGO_ADMIN, data)


def revoke_in_bulk(client, row):
    url = f"/admin/bulk/wagtail_user_sessions/session/delete/?id={row.pk}"
    return client.post(url)


def revoke_user(client, row):
    return client.post(reverse(f"{SNIPPETS}:revoke_user", args=[row.user_id]))


@pytest.mark.parametrize(
    "action", [delete_selected, sign_out_users, revoke_in_bulk, revoke_user]
)
def test_the_admins_of_django_and_wagtail_revoke_in_batches(
    store, alice, django_user_model, monkeypatch, action
):
    # Another test may have emptied the table of content types.
    ContentType.objects.clear_cache()
    sizes = []
    original = SessionQuerySet._batches

    def spy(rows, size):
        sizes.append(size)
        return original(rows, size)

    monkeypatch.setattr(SessionQuerySet, "_batches", spy)
    session = sign_in(store, alice)
    client = Client()
    client.force_login(django_user_model.objects.create_superuser("root"))
    action(client, alice.session_set.get())
    assert sizes == [base.REVOKE_BATCH_SIZE]
    assert not is_signed_in(session)
