"""Writes that go past the store and ``save()``: copies are disowned all the same."""

import pytest
from django.core import serializers
from django.core.management import call_command
from django.db import transaction

from tests.cache.visits import visit
from tests.conftest import sign_in
from wagtail_user_sessions.backends.cached_db import SessionStore
from wagtail_user_sessions.hashing import hash_session_key
from wagtail_user_sessions.models import Session

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.parametrize("engine", ["cached_db"], indirect=True),
    pytest.mark.usefixtures("engine"),
]


def encoded(value):
    return SessionStore().encode({"value": value})


def update(row):
    Session.objects.filter(pk=row.pk).update(session_data=encoded(2))


def bulk_update(row):
    row.session_data = encoded(2)
    assert Session.objects.bulk_update([row], ["session_data"]) == 1


def upsert(row):
    row.session_data = encoded(2)
    Session.objects.bulk_create(
        [row],
        update_conflicts=True,
        update_fields=["session_data"],
        **({"unique_fields": ["id"]} if has_conflict_targets() else {}),
    )


def has_conflict_targets():
    from django.db import connection

    return connection.features.supports_update_conflicts_with_target


def fixture_of(row, **columns):
    for name, value in columns.items():
        setattr(row, name, value)
    return serializers.serialize("json", [row])


def load_raw(row):
    (loaded,) = serializers.deserialize(
        "json", fixture_of(row, session_data=encoded(2))
    )
    loaded.save()


def upsert_by_position(row):
    row.session_data = encoded(2)
    unique = ["id"] if has_conflict_targets() else None
    positional = (None, False, True, ["session_data"], unique)
    Session.objects.bulk_create([row], *positional)


def save_a_new_instance(row):
    values = {name: getattr(row, name) for name in ("key_hash", "expire_date")}
    Session(pk=row.pk, session_data=encoded(2), **values).save(force_update=True)


WRITES = (
    *(update, bulk_update, upsert, upsert_by_position),
    *(load_raw, save_a_new_instance),
)


@pytest.mark.parametrize("write", WRITES)
def test_what_was_written_is_read(copied, write):
    write(Session.objects.get())
    assert visit(copied) == 2


@pytest.mark.parametrize("write", WRITES)
def test_in_a_transaction_what_was_written_is_read_after_the_commit(copied, write):
    with transaction.atomic():
        write(Session.objects.get())
    assert visit(copied) == 2


def test_loaddata_is_read(copied, tmp_path):
    path = tmp_path / "sessions.json"
    path.write_text(fixture_of(Session.objects.get(), session_data=encoded(2)))
    call_command("loaddata", path, verbosity=0)
    assert visit(copied) == 2


def test_the_old_key_of_a_row_that_a_fixture_replaces_is_no_longer_believed(
    copied, tmp_path
):
    path = tmp_path / "sessions.json"
    other = hash_session_key("y" * 32)
    path.write_text(fixture_of(Session.objects.get(), key_hash=other))
    call_command("loaddata", path, verbosity=0)
    assert visit(copied) is None


def test_update_of_the_expiry_ends_the_session_at_once(copied):
    row = Session.objects.get()
    Session.objects.update(expire_date=row.created_at)
    assert visit(copied) is None


def test_update_of_a_key_ends_the_session_under_the_old_one(copied):
    Session.objects.update(key_hash=hash_session_key("y" * 32))
    assert visit(copied) is None
    assert visit("y" * 32) == 1


def test_save_of_another_key_ends_the_session_under_the_old_one(copied):
    row = Session.objects.get()
    row.key_hash = hash_session_key("y" * 32)
    row.save()
    assert visit(copied) is None


def test_update_of_many_sessions_disowns_all_of_their_copies(engine, alice):
    sessions = []
    for number in range(3):
        session = SessionStore()
        session["value"] = number
        session.save()
        for _ in range(2):
            visit(session)
        sessions.append(session)
    Session.objects.filter(pk__in=[one.id for one in sessions[:2]]).update(
        session_data=encoded("new")
    )
    assert [visit(one) for one in sessions] == ["new", "new", 2]


def test_update_of_columns_that_no_copy_has_tells_the_cache_nothing(
    copied, calls, statements
):
    with statements() as made:
        Session.objects.update(name="here", city="Lisbon")
    assert made.verbs == ["UPDATE"]
    assert calls == []


def test_update_of_users_sessions_tells_the_cache_nothing(copied, calls, alice):
    sign_in(SessionStore, alice)
    alice.session_set.update(session_data=encoded(2))
    assert calls == []


def test_update_of_a_slice_raises_djangos_error(copied):
    with pytest.raises(TypeError, match="slice"):
        Session.objects.all()[:1].update(session_data="")
