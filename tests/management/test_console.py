"""What the commands print, and their exit codes."""

import logging
import os
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.core.management.base import BaseCommand
from django.db import OperationalError

from wagtail_user_sessions.cache import copies
from wagtail_user_sessions.management.commands import clearsessions, revoke_sessions
from wagtail_user_sessions.management.console import ConsoleCommand
from wagtail_user_sessions.signals import session_ended

BASE_DIR = Path(__file__).parent.parent.parent
COMMANDS = [
    ["clearsessions"],
    ["clearsessions", "--dry-run"],
    ["revoke_sessions", "--user", "ada"],
    ["revoke_sessions", "--all"],
    ["revoke_sessions", "--all", "--except-superusers"],
    ["revoke_sessions", "--all", "--dry-run"],
]
commands = pytest.mark.parametrize("command", COMMANDS, ids=" ".join)


@pytest.fixture
def lose_the_cache(store, monkeypatch):
    """Return a function after which the cache fails.

    A receiver makes each ended session known to the cache.
    """

    def gone():
        try:
            raise OSError("refused")
        except OSError as error:
            raise ConnectionError("no cache") from error

    def lose_the_cache():
        monkeypatch.setattr(copies, "get_session_cache", gone)
        monkeypatch.setattr(copies, "_paused_until", 0.0)

    def listener(**kwargs):
        pass

    session_ended.connect(listener, sender=store.get_model_class())
    yield lose_the_cache
    session_ended.disconnect(listener, sender=store.get_model_class())
    copies._pending.clear()


@pytest.fixture
def command_line(monkeypatch):
    """Return a function that runs a command as manage.py does; returns its code."""

    def command_line(name, *arguments):
        module = {"clearsessions": clearsessions, "revoke_sessions": revoke_sessions}
        command = module[name].Command()
        # It closes the connections, one of which is that of the test.
        monkeypatch.setattr("django.db.connections.close_all", lambda: None)
        try:
            command.run_from_argv(["manage.py", name, *arguments])
        except SystemExit as end:
            return end.code
        return 0

    return command_line


@commands
@pytest.mark.django_db(transaction=True)
def test_verbosity_0_prints_nothing(run, start, ada, terminal, command):
    for user in (ada, None):
        start(user, expired="clearsessions" in command)
    assert run(*command, verbosity=0, stderr=terminal) == ("", "")
    assert terminal.getvalue() == ""


@commands
@pytest.mark.parametrize("verbosity", [1, 2, 3])
@pytest.mark.django_db(transaction=True)
def test_every_other_verbosity_prints_the_same_line(run, ada, command, verbosity):
    output, errors = run(*command, verbosity=verbosity)
    assert output.count("\n") == 1
    assert errors == ""


@commands
@pytest.mark.django_db(transaction=True)
def test_verbosity_0_prints_no_warnings_of_checks(command_line, capsys, ada, command):
    assert command_line(*command, "-v0") == 0
    assert capsys.readouterr() == ("", "")


@pytest.mark.django_db(transaction=True)
def test_verbosity_0_prints_errors(command_line, capsys):
    assert command_line("revoke_sessions", "--user", "nobody", "-v0") == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == "CommandError: There is no user 'nobody'.\n"


@pytest.mark.parametrize("arguments", [["--all"], ["--all", "--older-than", "1m"]])
@pytest.mark.django_db(transaction=True)
def test_a_cache_that_could_not_be_told_has_an_exit_code(
    store, start, rows, capsys, command_line, console, lose_the_cache, arguments
):
    for _ in range(3):
        start(age=timedelta(days=1))
    lose_the_cache()
    code = command_line("revoke_sessions", *arguments)
    captured = capsys.readouterr()
    assert captured.out == "3 sessions were ended.\n"
    assert not rows.exists()
    assert "Traceback" not in captured.err
    if not store.keeps_copies:
        assert code == 0
        assert "cache" not in captured.err
        return
    assert code == 3
    *_, logged, told = captured.err.splitlines()
    assert logged.endswith(
        "The cache of the sessions has failed: ConnectionError: no cache"
    )
    assert told.startswith("CommandError: Not all servers could be told.")


@pytest.mark.django_db(transaction=True)
def test_in_code_the_cache_that_could_not_be_told_is_an_error(
    store, start, rows, lose_the_cache
):
    start()
    lose_the_cache()
    if not store.keeps_copies:
        call_command("revoke_sessions", all=True, verbosity=0)
    else:
        with pytest.raises(CommandError) as error:
            call_command("revoke_sessions", all=True, verbosity=0)
        assert error.value.returncode == 3
    assert not rows.exists()


@pytest.mark.django_db(transaction=True)
def test_expired_sessions_need_no_cache(
    start, capsys, command_line, console, lose_the_cache
):
    start(expired=True)
    lose_the_cache()
    assert command_line("clearsessions") == 0
    captured = capsys.readouterr()
    assert captured.out == "1 expired session was deleted.\n"
    assert "Traceback" not in captured.err


@pytest.mark.django_db(transaction=True)
def test_a_traceback_is_shown_where_it_is_asked_for(
    store, start, capsys, command_line, console, lose_the_cache
):
    start()
    lose_the_cache()
    if store.keeps_copies:
        with pytest.raises(CommandError):
            command_line("revoke_sessions", "--all", "--traceback")
        assert capsys.readouterr().err.count("Traceback") == 2


@pytest.fixture
def console():
    """The log goes to the console, as it does where a site configures nothing."""
    handler = type(logging.lastResort)(logging.WARNING)
    logger = logging.getLogger("wagtail_user_sessions")
    logger.addHandler(handler)
    yield
    logger.removeHandler(handler)
    assert handler.formatter is None


def test_a_log_elsewhere_keeps_its_tracebacks(tmp_path, monkeypatch):
    class Command(ConsoleCommand):
        requires_system_checks = ()

        def handle(self, *args, **options):
            try:
                raise ValueError("the cause")
            except ValueError:
                logging.getLogger("wagtail_user_sessions.x").exception("It failed")

    handler = logging.FileHandler(tmp_path / "log")
    logger = logging.getLogger("wagtail_user_sessions")
    logger.addHandler(handler)
    try:
        call_command(Command())
    finally:
        logger.removeHandler(handler)
        handler.close()
    assert "Traceback" in (tmp_path / "log").read_text()


@commands
@pytest.mark.parametrize("error", [OperationalError("no\nserver"), KeyboardInterrupt()])
def test_what_breaks_a_command_off_is_one_line_with_an_exit_code(
    capsys, monkeypatch, command_line, command, error
):
    def fail(*args, **kwargs):
        raise error

    monkeypatch.setattr(BaseCommand, "execute", fail)
    code = command_line(*command)
    captured = capsys.readouterr()
    is_interrupt = isinstance(error, KeyboardInterrupt)
    assert code == (130 if is_interrupt else 1)
    assert captured.out == ""
    if is_interrupt:
        assert captured.err == "Interrupted.\n"
    else:
        assert captured.err == "The database has failed: no server\n"


@pytest.mark.parametrize(
    "arguments", [[], ["--all", "--user", "ada"], ["--al", "--never"], ["--user"]]
)
def test_wrong_arguments_have_the_exit_code_2(capsys, command_line, arguments):
    assert command_line("revoke_sessions", *arguments) == 2
    assert "Traceback" not in capsys.readouterr().err


PRINTS = """
import django
django.setup()
from wagtail_user_sessions.management.console import ConsoleCommand

class Command(ConsoleCommand):
    requires_system_checks = ()

    def handle(self, *args, **options):
        input()
        self.report("a line")

Command().run_from_argv(["manage.py", "prints"])
"""


@pytest.mark.slow
@pytest.mark.parametrize("has_errors", [True, False])
def test_a_reader_that_has_gone_leaves_the_exit_code_of_a_shell(has_errors):
    process = subprocess.Popen(
        [sys.executable, "-c", PRINTS],
        cwd=BASE_DIR,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE if has_errors else subprocess.STDOUT,
        text=True,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"},
    )
    process.stdout.close()
    _, errors = process.communicate("go on\n", timeout=60)
    assert process.returncode == 128 + signal.SIGPIPE
    assert not errors
