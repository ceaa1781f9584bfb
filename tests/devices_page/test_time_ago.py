from datetime import timedelta

import pytest
from django.utils import timezone

from wagtail_user_sessions.devices_page.formatting import time_ago

NOW = timezone.now()


@pytest.mark.parametrize(
    ("elapsed", "words"),
    [
        (timedelta(seconds=-30), "just now"),
        (timedelta(seconds=59), "just now"),
        (timedelta(seconds=60), "1 minute ago"),
        (timedelta(minutes=59, seconds=59), "59 minutes ago"),
        (timedelta(hours=1), "1 hour ago"),
        (timedelta(hours=23, minutes=59), "23 hours ago"),
        (timedelta(days=1), "1 day ago"),
        (timedelta(days=6), "6 days ago"),
        (timedelta(days=13), "1 week ago"),
        (timedelta(days=29), "4 weeks ago"),
        (timedelta(days=59), "1 month ago"),
        (timedelta(days=364), "12 months ago"),
        (timedelta(days=800), "2 years ago"),
    ],
)
def test_time_ago_uses_the_largest_unit(elapsed, words):
    assert time_ago(NOW - elapsed, now=NOW) == words
