from types import SimpleNamespace

from django.conf import settings as django_settings

from wagtail_user_sessions import conf as module
from wagtail_user_sessions.conf import conf

NAME = "WAGTAIL_USER_SESSIONS_ACTIVITY_INTERVAL"


def test_a_setting_is_read_at_each_access(settings, monkeypatch):
    assert conf.ACTIVITY_INTERVAL == 60
    settings.WAGTAIL_USER_SESSIONS_ACTIVITY_INTERVAL = 7
    assert conf.ACTIVITY_INTERVAL == 7
    del settings.WAGTAIL_USER_SESSIONS_ACTIVITY_INTERVAL
    assert conf.ACTIVITY_INTERVAL == 60
    monkeypatch.setattr(django_settings, NAME, 9, raising=False)
    assert conf.ACTIVITY_INTERVAL == 9
    monkeypatch.undo()
    assert conf.ACTIVITY_INTERVAL == 60


def test_settings_that_are_no_lazysettings_cache_no_value(monkeypatch):
    others = SimpleNamespace()
    monkeypatch.setattr(module, "settings", others)
    assert conf.ACTIVITY_INTERVAL == 60
    assert vars(others) == {}
    setattr(others, NAME, 8)
    assert conf.ACTIVITY_INTERVAL == 8
