"""Views that run in the event loop."""

import asyncio

from asgiref.sync import sync_to_async
from django.http import HttpResponse, JsonResponse

from wagtail_user_sessions.cache.backend import get_session_cache
from wagtail_user_sessions.models import Session

both_have_read = asyncio.Barrier(2)


async def change_together(request, key):
    """Change the session after another request has read it, too."""
    await request.session.aget(key)
    async with asyncio.timeout(10):
        await both_have_read.wait()
    await request.session.aset(key, "changed")
    return HttpResponse("changed")


async def data(request):
    # Both the user and the session are read.
    user = await request.auser()
    items = dict(await request.session.aitems())
    return JsonResponse({"user": user.get_username(), "keys": sorted(items)})


async def session_id(request):
    return HttpResponse(str(await request.session.aid()))


async def cache_connection(request):
    """Answer with Redis' number of the connection that the request's session uses."""
    client = get_session_cache()._cache.get_client()
    return HttpResponse(str(await sync_to_async(client.client_id)()))


async def blocking(request):
    """Query the database in the event loop, which no view should do."""
    return HttpResponse(str(Session.objects.count()))
