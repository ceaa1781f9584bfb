"""The session stores that a devices page creates."""

import pytest

from tests.urls_devices_page import URL, listed, make_user, signed_in

pytestmark = [
    pytest.mark.urls("tests.urls_devices_page"),
    pytest.mark.django_db(transaction=True),
]


def test_a_page_of_ten_devices_creates_the_one_store_of_its_request(store, monkeypatch):
    user = make_user()
    here, *_ = [signed_in(user) for _ in range(10)]
    created = []
    init = store.__init__

    def count(self, session_key=None):
        created.append(self)
        init(self, session_key)

    monkeypatch.setattr(store, "__init__", count)
    page = here.get(URL)
    assert len(listed(page)) == 10
    assert len(created) == 1
