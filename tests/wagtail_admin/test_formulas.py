"""Exports: whatever a spreadsheet would take for a formula is text."""

import csv
import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import load_workbook

from tests.wagtail_admin.conftest import LIST
from wagtail_user_sessions.wagtail_admin.formulas import defuse
from wagtail_user_sessions.wagtail_admin.views import export

SIGNS = "=+-@＝＋－＠"  # noqa: RUF001
SEPARATORS = ",;\t|\n\r"


def cells(text, separator):
    """The cells that a program makes of the text, as it looks for a sign in them."""
    return [cell.lstrip(' \xa0\u3000\ufeff\u200b"\0') for cell in text.split(separator)]


def exported(browser, user):
    answer = browser.get(LIST, {"export": "csv", "user": user.pk})
    text = b"".join(answer.streaming_content).decode()
    return list(csv.DictReader(io.StringIO(text)))


def workbook(browser, user):
    answer = browser.get(LIST, {"export": "xlsx", "user": user.pk})
    return load_workbook(io.BytesIO(answer.getvalue())).active


@pytest.mark.parametrize("sign", SIGNS)
@pytest.mark.parametrize("separator", SEPARATORS)
@pytest.mark.parametrize("between", ["", " ", '"', "\ufeff", "\0", "\x01", "\u3000 "])
def test_an_apostrophe_stands_before_a_sign_behind_any_separator(
    sign, separator, between
):
    text = defuse(f"Laptop{separator}{between}{sign}2+3{separator}x")
    for cell in cells(text, separator):
        assert not cell.startswith(tuple(SIGNS))
    kept = re.sub("[\0\1]", "", between)
    assert text == f"Laptop{separator}'{kept}{sign}2+3{separator}x"


@pytest.mark.parametrize("sign", SIGNS)
@pytest.mark.parametrize("before", ["", " ", "\t", "\r", "\n", "\0", '"', "\ufeff"])
def test_an_apostrophe_stands_before_a_text_that_begins_with_a_sign(sign, before):
    kept = before.replace("\0", "")
    assert defuse(f"{before}{sign}2+3") == f"'{kept}{sign}2+3"


@pytest.mark.parametrize("control", "\t\r\n")
def test_an_apostrophe_stands_before_a_control_character(control):
    assert defuse(f"{control}x") == f"'{control}x"


@pytest.mark.parametrize(
    "text",
    ["", "Laptop", "Jean-Luc's Mac", "a@b.example", "1+1=2", "A - B", "2001:db8::1"],
)
def test_other_text_stays_as_it_is(text):
    assert defuse(text) == text


@given(st.lists(st.sampled_from([*SIGNS, *SEPARATORS, " ", '"', "a", "\0"])))
def test_no_text_has_a_formula_behind_a_separator(characters):
    text = defuse(f"x{''.join(characters)}")
    for separator in SEPARATORS:
        for cell in cells(text, separator):
            assert not cell.startswith(tuple(SIGNS)), (text, separator)


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["Laptop;=2+3;x", "a\t@b", "＝1", "a|+1"])  # noqa: RUF001
def test_no_cell_of_an_export_is_a_formula(sue, visitor, make_row, name):
    make_row(visitor, name=name)
    (row,) = exported(sue, visitor)
    assert row["Name"] == defuse(name) != name
    sheet = workbook(sue, visitor)
    assert {cell.data_type for cell in sheet[2]} <= {"s", "inlineStr", "d", "n"}
    assert name in [cell.value for cell in sheet[2]]


@pytest.mark.django_db
@pytest.mark.parametrize("heading", ["=2+3", "Name;=2+3", "=2\x07+3"])
def test_no_heading_of_an_export_is_a_formula(
    sue, visitor, make_row, monkeypatch, heading
):
    monkeypatch.setitem(export.EXPORTED, "name", heading)
    make_row(visitor, name="Kitchen")
    (row,) = exported(sue, visitor)
    assert row[defuse(heading)] == "Kitchen"
    cell = workbook(sue, visitor)["D1"]
    assert (cell.data_type, cell.value) == ("s", heading.replace("\x07", ""))
