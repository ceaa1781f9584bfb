from asgiref.sync import sync_to_async
from django.contrib.auth import (
    alogin,
    alogout,
    authenticate,
    get_user_model,
    login,
    logout,
)
from django.db import transaction
from django.http import HttpResponse, JsonResponse


def plain(request):
    return HttpResponse("A page that ignores its session.")


def read(request):
    return HttpResponse(request.session.get("value", "nothing"))


def change(request):
    request.session[request.GET.get("key", "value")] = request.GET.get("to", "changed")
    return HttpResponse("changed")


def change_as_user(request):
    request.user.get_username()
    return change(request)


def whoami(request):
    return HttpResponse(request.user.get_username() or "nobody")


async def awhoami(request):
    return HttpResponse((await request.auser()).get_username() or "nobody")


async def achange(request):
    await request.session.aset("value", "changed")
    return HttpResponse("changed")


def sign_in(request):
    user = authenticate(
        request,
        username=request.POST.get("username"),
        password=request.POST.get("password"),
    )
    if user is None:
        return HttpResponse("no", status=403)
    login(request, user)
    return HttpResponse("yes")


async def asign_in(request):
    user = await sync_to_async(authenticate)(
        request,
        username=request.POST.get("username"),
        password=request.POST.get("password"),
    )
    await alogin(request, user)
    return HttpResponse("yes")


def sign_out(request):
    logout(request)
    return HttpResponse("bye")


async def asign_out(request):
    await alogout(request)
    return HttpResponse("bye")


def keys(request):
    return JsonResponse({"id": str(request.session.id)})


@transaction.atomic
def sign_out_and_roll_back(request):
    logout(request)
    transaction.set_rollback(True)
    return HttpResponse("bye")


@transaction.atomic
def sign_in_and_roll_back(request):
    login(request, authenticate(request, username="alice", password="secret"))
    transaction.set_rollback(True)
    return HttpResponse("yes")


@transaction.atomic
def sign_out_and_fail(request):
    logout(request)
    raise RuntimeError("after the sign-out")


def clear(request):
    request.session.clear()
    request.session["value"] = "cleared"
    return HttpResponse("cleared")


def renew(request):
    request.session.keys()
    request.session.cycle_key()
    return HttpResponse("renewed")


@transaction.atomic
def renew_and_fail(request):
    request.user.get_username()
    request.session.cycle_key()
    raise RuntimeError("after the renewal")


def delete_user(request):
    request.session.keys()
    get_user_model().objects.filter(pk=request.GET["pk"]).delete()
    return HttpResponse(request.user.get_username() or "nobody")
