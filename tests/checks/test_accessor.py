"""Check of the accessor of a user's sessions."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.contrib.auth.models import AbstractUser
from django.db import models
from django.test.utils import isolate_apps

from tests.checks.messages import run
from wagtail_user_sessions.checks import accessor
from wagtail_user_sessions.checks.messages import TAG


@isolate_apps("tests", "wagtail_user_sessions")
def test_another_model_with_our_accessor_is_an_error(monkeypatch):
    class Person(models.Model):  # noqa: DJ008
        class Meta:
            app_label = "tests"

    def session_model(label, related_name=None):
        class Session(models.Model):  # noqa: DJ008
            user = models.ForeignKey(Person, models.CASCADE, related_name=related_name)

            class Meta:
                app_label = label

        return Session

    session_of_ours = session_model("wagtail_user_sessions")
    monkeypatch.setattr(accessor, "get_user_model", lambda: Person)
    monkeypatch.setattr(accessor, "Session", session_of_ours)
    assert accessor.check_accessor() == []
    session_model("tests")
    (message,) = accessor.check_accessor()
    assert message.id == f"{TAG}.E007"
    assert "tests.Session.user clashes with Person.session_set" in message.msg
    assert "related_name" in message.hint


def test_the_command_check_reports_a_clash_of_accessors(tmp_path):
    app = tmp_path / "trainings"
    app.mkdir()
    (app / "__init__.py").touch()
    (app / "models.py").write_text(
        "from django.conf import settings\n"
        "from django.db import models\n"
        "class Session(models.Model):\n"
        "    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE)\n"
    )
    (tmp_path / "clashing.py").write_text(
        "from tests.settings import *\nINSTALLED_APPS += ['trainings']\n"
    )
    root = str(Path(__file__).parents[2])
    checked = subprocess.run(
        [sys.executable, "-m", "django", "check"],
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(tmp_path), root]),
            "DJANGO_SETTINGS_MODULE": "clashing",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 1
    assert "(fields.E304)" in checked.stderr
    expected = "E007) trainings.Session.user clashes with User.session_set"
    assert expected in checked.stderr


@pytest.mark.parametrize("value", [None, property(lambda self: []), lambda self: []])
def test_an_attribute_session_set_of_the_user_class_is_an_error(monkeypatch, value):
    monkeypatch.setattr(AbstractUser, "session_set", value, raising=False)
    messages = run()
    assert messages.keys() == {"E007"}
    assert "django.contrib.auth.models.AbstractUser" in messages["E007"].msg
