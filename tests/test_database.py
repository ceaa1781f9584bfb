"""The quick teardown leaves what Django's own does."""

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.test import TransactionTestCase
from wagtail.models import Collection, Locale, Page

from tests import database
from wagtail_user_sessions.backends.db import SessionStore


class Case(TransactionTestCase):
    def runTest(self):
        """It is its teardown that is tested."""


@pytest.fixture
def case(transactional_db):
    return Case()


@pytest.fixture
def tear_down(case):
    """The quick teardown, which knows what Django's leaves."""
    quick = database.quick_teardown()
    quick(case)
    return lambda: quick(case)


def contents():
    """All rows of all tables."""
    names = connection.introspection.django_table_names(only_existing=True)
    return {name: database.rows(name) for name in names}


def natural_contents():
    """All rows, and permissions and content types without their numbers."""
    tables = contents()
    for model in (Permission, ContentType):
        tables[model._meta.db_table] = sorted(
            (*one.natural_key(), getattr(one, "name", ""))
            for one in model.objects.all()
        )
    return tables


def fill():
    """Write to tables that refer to one another, in both directions and in a tree."""
    user = User.objects.create_user("alice", password="secret")
    user.groups.add(Group.objects.create(name="readers"))
    user.user_permissions.add(Permission.objects.first())
    Locale.objects.create(language_code="en")
    root = Page.add_root(title="Root", slug="root")
    root.add_child(title="Child", slug="child", owner=user)
    Collection.add_root(name="Root").add_child(name="Child")
    session = SessionStore()
    session["_auth_user_id"] = str(user.pk)
    session.save()


def change_a_permission():
    Permission.objects.order_by("pk")[5:6].get().delete()


def add_a_content_type():
    ContentType.objects.create(app_label="tests", model="no such model")


def rename_a_permission():
    Permission.objects.filter(pk=Permission.objects.first().pk).update(name="changed")


def test_it_leaves_the_rows_that_djangos_leaves(case, tear_down):
    fill()
    database.flush(case)
    expected = natural_contents()
    tear_down()  # It sees content types with other numbers, and makes them anew.
    fill()
    before = contents()
    tear_down()
    assert contents() != before
    assert natural_contents() == expected


def test_it_keeps_content_types_and_permissions_that_nobody_changed(tear_down):
    before = contents()
    fill()
    tear_down()
    assert contents() == before


@pytest.mark.parametrize(
    "change", [change_a_permission, add_a_content_type, rename_a_permission]
)
def test_what_was_changed_is_made_anew(tear_down, change):
    expected = natural_contents()
    change()
    assert natural_contents() != expected
    tear_down()
    assert natural_contents() == expected


def test_it_forgets_content_types_as_djangos_does(tear_down, django_assert_num_queries):
    ContentType.objects.get_for_model(Page)
    tear_down()
    with django_assert_num_queries(1):
        ContentType.objects.get_for_model(Page)


def test_it_asks_few_statements(tear_down, django_assert_max_num_queries):
    User.objects.create_user("alice")
    with django_assert_max_num_queries(10):
        tear_down()


def test_a_case_for_some_apps_alone_is_left_to_django(case, tear_down):
    case.available_apps = ["django.contrib.auth"]
    assert not database.is_plain(case)
