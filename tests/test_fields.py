"""Fields: the owner of a row, whom the row doesn't outlive."""

import pytest
from django.contrib.admin.utils import NestedObjects
from django.db import connection, models
from django.test.utils import isolate_apps

from wagtail_user_sessions.fields import OwnerField
from wagtail_user_sessions.models import Session


@pytest.fixture
def family():
    """Three models in tables of their own: an owner, its rows, and their notes."""
    with isolate_apps("tests"):

        class Owner(models.Model):  # noqa: DJ008
            pass

        class Row(models.Model):  # noqa: DJ008
            owner = OwnerField(Owner)

        class Note(models.Model):  # noqa: DJ008
            row = models.ForeignKey(Row, models.CASCADE)

    made = (Owner, Row, Note)
    with connection.schema_editor() as editor:
        for model in made:
            editor.create_model(model)
    yield made
    with connection.schema_editor() as editor:
        for model in reversed(made):
            editor.delete_model(model)


def test_migrations_see_a_plain_foreign_key_that_cascades():
    _name, path, _args, kwargs = Session._meta.get_field("user").deconstruct()
    assert path == "django.db.models.ForeignKey"
    assert kwargs["on_delete"] is models.CASCADE


def test_a_site_may_choose_what_becomes_of_its_rows():
    field = OwnerField("auth.User", models.DO_NOTHING)
    assert field.remote_field.on_delete is models.DO_NOTHING
    assert field.deconstruct()[3]["on_delete"] is models.DO_NOTHING
    assert field.clone().remote_field.on_delete is models.DO_NOTHING


@pytest.mark.django_db(transaction=True)
def test_a_list_of_the_admin_has_what_depends_on_the_rows_in_their_place(family):
    owner_model, row_model, note_model = family
    owner, other = owner_model.objects.create(), owner_model.objects.create()
    row = row_model.objects.create(owner=owner)
    note = note_model.objects.create(row=row)
    row_model.objects.create(owner=other)
    collector = NestedObjects(using="default")
    collector.collect([owner, other])
    assert collector.nested() == [owner, [note], other]
    assert set(collector.model_objs) == {owner_model, note_model}
    owner.delete()
    assert row_model.objects.count() == 1
    assert not note_model.objects.exists()
