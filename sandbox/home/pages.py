"""The devices page in the page tree."""

from sandbox.home.models import DevicesPage, HomePage

INTRODUCTION = """\
<p>An editor has placed this page in the page tree, and has written its title and
this introduction. The list below is the same as at <a href="/account/devices/">the
address of the app</a>.</p>
"""


def save_devices_page() -> None:
    """Place the page below the home page, unless there is one."""
    if DevicesPage.objects.exists():
        return
    page = DevicesPage(
        title="Where you are signed in",
        slug="your-devices",
        introduction=INTRODUCTION,
    )
    HomePage.objects.get(slug="home").add_child(instance=page)
