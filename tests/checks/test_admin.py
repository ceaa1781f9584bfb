"""Check of the apps that the views in Wagtail's admin need."""

from tests.checks.messages import run


def test_an_admin_without_snippets_is_a_warning(monkeypatch):
    assert "W011" not in run()
    installed = {"wagtail.admin"}
    monkeypatch.setattr("django.apps.apps.is_installed", installed.__contains__)
    assert "W011" in run()
    installed.clear()
    assert "W011" not in run()
