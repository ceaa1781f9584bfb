"""The pages of ``views``, as asynchronous views."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any, cast

from asgiref.sync import sync_to_async
from django.contrib.auth import alogin, alogout, get_user_model
from django.http import HttpRequest, HttpResponse, JsonResponse

from wagtail_user_sessions.backends.db import SessionStore
from wagtail_user_sessions.models import Session

from .views import BACKEND, LIMIT, OWN, Content


def for_users(
    view: Callable[..., Awaitable[Content]],
) -> Callable[..., Awaitable[HttpResponse]]:
    @wraps(view)
    async def page(request: HttpRequest, **kwargs: Any) -> HttpResponse:
        user = await request.auser()
        if not user.is_authenticated:
            return JsonResponse({"user": None})
        username = user.get_username()
        return JsonResponse({"user": username, **await view(request, **kwargs)})

    return page


@for_users
async def whoami(request: HttpRequest) -> Content:
    return {}


@for_users
async def count(request: HttpRequest) -> Content:
    value = await _session(request).aget("count", 0) + 1
    await _session(request).aset("count", value)
    return {"count": value}


@for_users
async def put(request: HttpRequest, name: str) -> Content:
    await _session(request).aset(OWN + name, name)
    return {}


@for_users
async def pop(request: HttpRequest, name: str) -> Content:
    await _session(request).apop(OWN + name, None)
    return {}


@for_users
async def data(request: HttpRequest) -> Content:
    return {"data": dict(await _session(request).aitems())}


@for_users
async def renew(request: HttpRequest) -> Content:
    await _session(request).acycle_key()
    return {}


@for_users
async def sign_out(request: HttpRequest) -> Content:
    await alogout(request)
    return {}


async def sign_in(request: HttpRequest, username: str) -> HttpResponse:
    user = await get_user_model().objects.aget(username=username)
    if not user.is_active:
        return JsonResponse({"user": None})
    await alogin(request, user, backend=BACKEND)
    pk = await cast(SessionStore, request.session).aid()
    return JsonResponse({"user": username, "id": str(pk)})


async def end(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    revoked = await sync_to_async(Session.objects.filter(pk=pk).revoke)()
    return JsonResponse({"user": None, "cache_failed": revoked.cache_failed})


async def attempts(request: HttpRequest) -> HttpResponse:
    session = _session(request)
    count = await session.aget("count", 0)
    is_admitted = request.method == "POST" and count < LIMIT
    if is_admitted:
        count += 1
        await session.aset("count", count)
        if session.session_key is None:
            await session.asave()
    content = {"count": count, "admitted": is_admitted}
    return JsonResponse({"id": await _id(session), **content})


async def keep(request: HttpRequest, name: str) -> HttpResponse:
    session = _session(request)
    pk = await _id(session)
    await session.aset(OWN + name, name)
    return JsonResponse({"id": pk})


async def _id(session: Any) -> str | None:
    pk = await session.aid()
    return None if pk is None else str(pk)


def _session(request: HttpRequest) -> Any:
    # Any: the stubs lack the asynchronous methods.
    return request.session
