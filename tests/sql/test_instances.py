"""Instances made of a row's values, and copies of instances."""

from functools import wraps

import pytest
from django.contrib.auth import get_user_model
from django.db import models
from django.db.models.base import ModelBase
from django.db.models.signals import post_init, pre_init
from django.test.utils import isolate_apps

from wagtail_user_sessions.models import Session
from wagtail_user_sessions.sql import instances
from wagtail_user_sessions.sql.instances import django_original

User = get_user_model()


def values_for(model, *, user_id=3):
    values = {field.attname: field.get_default() for field in model._meta.fields}
    if "user_id" in values:
        values["user_id"] = user_id
    return values


def from_db(model, values):
    return instances.from_db(model, "replica", list(values), list(values.values()))


def state_of(row):
    return {name: value for name, value in vars(row).items() if name != "_state"}


@pytest.mark.parametrize("model", [Session, User])
def test_from_db_returns_the_instance_that_django_makes(model):
    values = values_for(model)
    ours = from_db(model, values)
    theirs = model.from_db("replica", list(values), list(values.values()))
    assert type(ours) is model
    assert list(state_of(ours).items()) == list(state_of(theirs).items())
    # Django makes the cache of fields when it is first read.
    assert ours._state.fields_cache == theirs._state.fields_cache == {}
    assert vars(ours._state) == vars(theirs._state)
    assert (ours._state.db, ours._state.adding) == ("replica", False)
    assert list(vars(ours)) == list(vars(theirs))


def test_instances_of_from_db_share_no_state():
    one, other = (from_db(Session, values_for(Session)) for _ in range(2))
    one.user = User(pk=3, username="alice")
    one.name = "phone"
    assert not Session._meta.get_field("user").is_cached(other)
    assert other.name == ""


class WithInit:
    def __init__(self, *args):
        super().__init__(*args)
        self.number += 1


class WithNew:
    def __new__(cls, *args):
        row = super().__new__(cls)
        row.__dict__["tag"] = "new"
        return row


class WithFromDb:
    @classmethod
    def from_db(cls, *args):
        row = super().from_db(*args)
        row.number += 1
        return row


class WithSetattr:
    def __setattr__(self, name, value):
        super().__setattr__(name, value + 1 if name == "number" else value)


class Doubling:
    def __init__(self, field):
        self.name = field.attname

    def __set__(self, instance, value):
        instance.__dict__[self.name] = value * 2


class DoublingField(models.IntegerField):
    descriptor_class = Doubling


@pytest.mark.parametrize(
    ("base", "field", "expected"),
    [
        (object, models.IntegerField, {"number": 7}),
        (WithInit, models.IntegerField, {"number": 8}),
        (WithNew, models.IntegerField, {"number": 7, "tag": "new"}),
        (WithFromDb, models.IntegerField, {"number": 8}),
        (WithSetattr, models.IntegerField, {"number": 8}),
        (object, DoublingField, {"number": 14}),
    ],
)
@isolate_apps("tests")
def test_from_db_calls_custom_methods_of_the_model(base, field, expected):
    bases = (models.Model,) if base is object else (base, models.Model)
    content = {"number": field(), "__module__": __name__}
    row = from_db(type("Row", bases, content), {"id": 1, "number": 7})
    assert state_of(row) == {"id": 1, **expected}


class WithInitAfterModel:
    def __init__(self):
        super().__init__()
        self.tag = "new"


@isolate_apps("tests")
def test_from_db_calls_init_of_a_mixin_after_model():
    content = {"number": models.IntegerField(), "__module__": __name__}
    model = type("Row", (models.Model, WithInitAfterModel), content)
    assert from_db(model, {"id": 1, "number": 7}).tag == "new"


@isolate_apps("tests")
def test_customizes_init_of_a_model_with_getattribute_is_true():
    class WithGetattribute(models.Model):  # noqa: DJ008
        number = models.IntegerField()

        def __getattribute__(self, name):
            return super().__getattribute__(name)

    assert instances.customizes_init(WithGetattribute)


class Meta(ModelBase):
    def __call__(cls, *args):
        row = super().__call__(*args)
        row.number += 1
        return row


@isolate_apps("tests")
def test_from_db_calls_a_custom_metaclass():
    content = {"number": models.IntegerField(), "__module__": __name__}
    row = from_db(Meta("Row", (models.Model,), content), {"id": 1, "number": 7})
    assert row.number == 8


def test_django_original_of_a_patched_method_equals_nothing(monkeypatch):
    init, module = models.Model.__init__, models.base
    assert django_original(models.Model, "__init__", module) is init
    assert (
        django_original(models.Model, "from_db", module)
        is models.Model.from_db.__func__
    )

    def counting(self, *args, **kwargs):
        init(self, *args, **kwargs)

    monkeypatch.setattr(models.Model, "__init__", wraps(init)(counting))
    found = django_original(models.Model, "__init__", module)
    assert found not in {init, models.Model.__init__}


@pytest.mark.parametrize("signal", [pre_init, post_init])
def test_from_db_sends_the_signals_of_init_if_they_have_receivers(signal):
    senders = []

    def listen(sender, **kwargs):
        senders.append(sender)

    signal.connect(listen, sender=Session)
    try:
        from_db(Session, values_for(Session))
    finally:
        signal.disconnect(listen, sender=Session)
    from_db(Session, values_for(Session))
    assert senders == [Session]


def test_from_db_calls_a_method_that_is_patched_later(monkeypatch):
    values = values_for(User)
    from_db(User, values)
    monkeypatch.setattr(User, "from_db", lambda *args: "patched")
    assert from_db(User, values) == "patched"


def test_changes_of_a_copied_instance_leave_the_original_as_it_is():
    row = from_db(Session, values_for(Session))
    row.user = User(pk=3, username="alice")
    other = instances.copy_instance(row)
    assert state_of(other) == state_of(row)
    assert other.user is row.user
    other.name, other.user = "phone", User(pk=4, username="bob")
    assert (row.name, row.user.username) == ("", "alice")


def test_copy_instance_copies_an_unsaved_instance():
    assert instances.copy_instance(User(username="alice")).username == "alice"
