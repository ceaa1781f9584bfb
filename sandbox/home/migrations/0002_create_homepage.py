from django.db import migrations

BODY = """\
<p>This is a small Wagtail site. A visitor who signs in gets a session that knows
its user, its device and its place.</p>
<ul>
<li><a href="/login/">Sign in</a>, from two browsers if you have them.</li>
<li>Look at <a href="/account/devices/">your devices</a>.</li>
<li>Edit this page in <a href="/admin/">the Wagtail admin</a>.</li>
</ul>
"""


def create_homepage(apps, schema_editor):
    content_types = apps.get_model("contenttypes.ContentType").objects
    pages = apps.get_model("wagtailcore.Page").objects
    page_type = content_types.get(model="page", app_label="wagtailcore")
    pages.filter(content_type=page_type, slug="home", depth=2).delete()
    homepage_type, _ = content_types.get_or_create(model="homepage", app_label="home")
    homepage = apps.get_model("home.HomePage").objects.create(
        title="Welcome to the sandbox",
        draft_title="Welcome to the sandbox",
        slug="home",
        content_type=homepage_type,
        path="00010001",
        depth=2,
        numchild=0,
        url_path="/home/",
        body=BODY,
    )
    apps.get_model("wagtailcore.Site").objects.create(
        hostname="localhost", root_page=homepage, is_default_site=True
    )


class Migration(migrations.Migration):
    # The page is made with the columns that pages have at that point.
    run_before = [("wagtailcore", "0053_locale_model")]

    dependencies = [("home", "0001_initial")]

    operations = [
        migrations.RunPython(create_homepage, migrations.RunPython.noop),
    ]
