from datetime import timedelta

import pytest
from django.utils import timezone

from wagtail_user_sessions.models import Session


@pytest.fixture
def make_row():
    def make(user=None, model=Session, **columns):
        number = model.objects.count()
        columns = {
            "key_hash": bytes([number, 0xFF, 0, 0x27]) * 8,
            "expire_date": timezone.now() + timedelta(days=1),
            **columns,
        }
        return model.objects.create(user=user, **columns)

    return make
