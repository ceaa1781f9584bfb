"""The package's settings: the one place that reads them, at each access.

Every setting has the prefix ``WAGTAIL_USER_SESSIONS_``. The value is returned as the
site wrote it; ``checks`` reports a value of the wrong kind.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, cast, overload

from django.conf import LazySettings, settings

PREFIX = "WAGTAIL_USER_SESSIONS_"
UNSET = object()

T = TypeVar("T")


def is_seconds(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def is_optional_seconds(value: object) -> bool:
    return value is None or (is_seconds(value) and value != 0)


def is_flag(value: object) -> bool:
    return isinstance(value, bool)


def is_text_sequence(value: object) -> bool:
    return isinstance(value, list | tuple | set | frozenset) and all(
        isinstance(item, str) for item in value
    )


def is_optional_path(value: object) -> bool:
    return value is None or (isinstance(value, str) and bool(value))


def is_one_of(*choices: str) -> Callable[[object], bool]:
    return lambda value: value in choices


@dataclass(frozen=True)
class Setting(Generic[T]):
    """A setting: its default, its check, and in words which values are valid."""

    default: T
    is_valid: Callable[[object], bool]
    expected: str
    name: str = ""

    def __set_name__(self, owner: type, name: str) -> None:
        object.__setattr__(self, "name", PREFIX + name)

    @overload
    def __get__(self, instance: None, owner: type) -> Setting[T]: ...

    @overload
    def __get__(self, instance: object, owner: type) -> T: ...

    def __get__(self, instance: object | None, owner: type) -> Setting[T] | T:
        if instance is None:
            return self
        # LazySettings keep the values that were read in their __dict__, until a
        # setting changes. Reading the __dict__ saves time, for a request reads several
        # settings: getattr() is slower, and slowest for a setting that isn't there.
        cached = object.__getattribute__(settings, "__dict__")
        value: T | object = cached.get(self.name, UNSET)
        if value is UNSET:
            value = getattr(settings, self.name, self.default)
            if type(settings) is LazySettings:
                cached[self.name] = value
        return cast(T, value)


class Conf:
    """The settings by name; times are in seconds."""

    # How long a copy of a visitor's row may be believed. 0 keeps no copies.
    CACHE_MAX_AGE = Setting[int](60, is_seconds, "a number of seconds, 0 or more")
    # How long the session of an anonymous visitor lasts; None: SESSION_COOKIE_AGE.
    ANONYMOUS_AGE = Setting[int | None](
        None, is_optional_seconds, "a positive number of seconds, or None"
    )
    # The least time between two activity writes of a session.
    ACTIVITY_INTERVAL = Setting[int](60, is_seconds, "a number of seconds, 0 or more")
    # Names of URLs whose requests don't count as activity of the user.
    ACTIVITY_IGNORE = Setting[tuple[str, ...]](
        (
            "wagtailadmin_editing_sessions:ping",
            "wagtailadmin_editing_sessions:release",
        ),
        is_text_sequence,
        "a list of URL names",
    )
    # Networks of the site's own proxies, and "unix" for one on a Unix socket.
    TRUSTED_PROXIES = Setting[tuple[str, ...]](
        (), is_text_sequence, 'a list of networks, or "unix"'
    )
    # The dotted path of a function that takes the request and returns the IP address.
    CLIENT_IP = Setting[str | None](
        None, is_optional_path, "the dotted path of a function, or None"
    )
    IP_STORAGE = Setting[str](
        "full",
        is_one_of("full", "anonymized", "none"),
        '"full", "anonymized" or "none"',
    )
    USER_AGENT_STORAGE = Setting[str](
        "full", is_one_of("full", "families", "none"), '"full", "families" or "none"'
    )
    # Where users change their password: a URL's name, a path or an address.
    PASSWORD_CHANGE_URL = Setting[str | None](
        None, is_optional_path, "the name of a URL, a path or an address, or None"
    )
    # Whether PostgreSQL prepares the statements of the engines.
    PREPARED_STATEMENTS = Setting[bool](
        default=False, is_valid=is_flag, expected="True or False"
    )
    # Whether the place of an IP address is looked up and stored.
    LOCATION = Setting[bool](default=True, is_valid=is_flag, expected="True or False")

    @classmethod
    def declared(cls) -> dict[str, Setting[Any]]:
        """Return every setting of the package by its full name."""
        return {
            setting.name: setting
            for setting in vars(cls).values()
            if isinstance(setting, Setting)
        }


conf = Conf()
