"""Check of the database routers."""

from tests.checks.messages import run


class SessionsElsewhere:
    def db_for_write(self, model, **hints):
        return "sessions" if model._meta.model_name == "session" else None


def test_sessions_and_users_in_different_databases_are_an_error(settings):
    settings.DATABASE_ROUTERS = ["tests.checks.test_databases.SessionsElsewhere"]
    messages = run()
    assert messages.keys() == {"E006"}
    assert "'sessions', and users in 'default'" in messages["E006"].msg


def test_the_database_check_uses_the_model_of_the_engine(settings):
    settings.DATABASE_ROUTERS = ["tests.checks.test_databases.SessionsElsewhere"]
    settings.SESSION_ENGINE = "tests.models"
    assert run() == {}
