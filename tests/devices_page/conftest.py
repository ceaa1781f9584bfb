"""A user with two browsers: ``here`` opens the page, ``there`` is another one."""

import pytest

from tests.urls_devices_page import (
    make_user,
    signed_in,
)


@pytest.fixture
def ann(db):
    return make_user()


@pytest.fixture
def here(ann):
    return signed_in(ann)


@pytest.fixture
def there(ann):
    return signed_in(ann)
