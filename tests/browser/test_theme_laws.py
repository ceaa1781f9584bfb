"""Rules that keep the example theme working.

The browser tests run with the theme and without: that is the fixture ``site``, and
tests here check that the two differ. Each template of the theme overrides one of the
package. The theme overrides no whole page: where it would have to copy one, the
package's own page is split wrongly.
"""

import re

from tests.browser.site import BASE_DIR

THEME = BASE_DIR / "templates"
PACKAGE = BASE_DIR / "wagtail_user_sessions" / "templates"
THEME_STATIC = BASE_DIR / "static"
NAMESPACES = {"wagtail_user_sessions", "home", "tests"}


def files(folder):
    return {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file()
    }


def pages():
    """Whole pages: all templates except the base and the partials."""
    return {
        name
        for name in files(PACKAGE)
        if "/partials/" not in name and not name.endswith("/base.html")
    }


def test_the_theme_has_templates_and_static_files():
    assert len(files(THEME)) > 2
    assert any(name.endswith(".css") for name in files(THEME_STATIC))


def test_each_template_of_the_theme_overrides_one_of_the_package():
    assert files(THEME) - files(PACKAGE) == set()


def test_the_theme_overrides_no_whole_page():
    assert "wagtail_user_sessions/devices.html" in pages()
    assert files(THEME) & pages() == set()


def test_the_theme_has_a_namespace_of_its_own_for_its_static_files():
    found = {name.split("/")[0] for name in files(THEME_STATIC)}
    assert len(found) == 1
    assert found & NAMESPACES == set()
    package = files(BASE_DIR / "wagtail_user_sessions" / "static")
    assert files(THEME_STATIC) & package == set()


def test_the_static_files_that_the_theme_names_are_there():
    used = set()
    for name in files(THEME):
        text = (THEME / name).read_text()
        used |= set(re.findall(r"""{%\s*static\s+["']([^"']+)["']""", text))
    (namespace,) = {name.split("/")[0] for name in files(THEME_STATIC)}
    own = {name for name in used if name.startswith(f"{namespace}/")}
    assert own
    assert own <= files(THEME_STATIC)


def test_only_the_site_with_the_theme_loads_its_styles(ann):
    here = ann.browse().open()
    (namespace,) = {name.split("/")[0] for name in files(THEME_STATIC)}
    is_themed = ann.site.name == "theme"
    sheets = here.page.evaluate("[...document.styleSheets].map(sheet => sheet.href)")
    assert any(f"/static/{namespace}/" in href for href in sheets) is is_themed
    loaded = here.page.request.get(f"/static/{namespace}/site.css").status
    assert loaded == (200 if is_themed else 404)


def test_the_theme_does_not_look_like_the_default(chromium, sites):
    look = """title => {
      const { fontFamily, color } = getComputedStyle(title);
      const { backgroundColor } = getComputedStyle(document.body);
      return [fontFamily, color, backgroundColor];
    }"""
    looks = []
    for name in ("default", "theme"):
        page = chromium.new_page()
        page.goto(f"{sites(name).address}/login/")
        looks.append(page.get_by_role("heading", level=1).evaluate(look))
        page.close()
    default, theme = looks
    assert all(one != other for one, other in zip(default, theme, strict=True))
