"""Forms as they reach the reader: labels, help, errors, choices, uploads."""

import datetime as dt
import re
from typing import Any

import pytest
from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.forms.renderers import DjangoTemplates
from django.test.html import parse_html

from xuezheng.kernel.ui.forms import DateInput, FormRenderer, NumberInput
from xuezheng.kernel.ui.uploads import UploadsField


class Sample(forms.Form):
    place = forms.CharField(label="Place", help_text="e.g. <east>")
    amount = forms.DecimalField(label="Amount", widget=NumberInput, required=False)
    day = forms.DateField(label="Day", widget=DateInput, required=False)
    grade = forms.ChoiceField(
        label="Grade", choices=[("a", "A"), ("b", "B")], widget=forms.RadioSelect
    )
    photos = UploadsField(label="Photos", maximum=2)
    agreed = forms.BooleanField(label="Agreed")
    key = forms.CharField(widget=forms.HiddenInput)


def test_errors_stand_on_top_and_lead_to_their_fields() -> None:
    html = str(Sample({"day": "2026-13-01"}))
    summary = html[: html.index('<div class="field ')]
    assert 'role="alert"' in summary
    targets = re.findall(r'href="#([^"]+)"', summary)
    assert targets == ["id_place", "id_day", "id_grade_0", "id_photos", "id_agreed"]
    for target in targets:
        assert f'id="{target}"' in html


def test_errors_of_hidden_fields_and_of_the_whole_form_are_seen() -> None:
    form = Sample({})
    form.add_error(None, "Whole")
    html = str(form)
    assert "<li>Whole</li>" in html
    assert len(re.findall(r"<li>[^<]+</li>", html)) == 2, "the whole form, and the hidden key"


def test_a_control_is_described_by_help_and_error() -> None:
    html = str(Sample({})["place"].as_field_group())
    assert 'aria-describedby="id_place_helptext id_place_error"' in html
    assert 'aria-invalid="true"' in html
    assert 'id="id_place_helptext">e.g. &lt;east&gt;' in html
    assert 'id="id_place_error"' in html
    assert '<label class="field-label" for="id_place">Place</label>' in html


def test_only_what_may_be_left_out_is_marked() -> None:
    form = Sample()
    assert "（选填）" in form["amount"].as_field_group()
    assert "（选填）" not in form["place"].as_field_group()
    assert "error-summary" not in str(form)


def test_choices_are_cards_that_need_no_script() -> None:
    html = Sample({"grade": "b"})["grade"].as_field_group()
    assert html.count("<fieldset") == 1
    assert '<legend class="field-label">Grade</legend>' in html
    cards = re.findall(r'<label class="choice" for="(\w+)"><input type="radio"([^>]*)>', html)
    assert [card[0] for card in cards] == ["id_grade_0", "id_grade_1"]
    assert [("checked" in card[1]) for card in cards] == [False, True]


def test_a_lone_tick_box_has_one_label() -> None:
    html = Sample()["agreed"].as_field_group()
    assert html.count("<label") == 1
    assert re.search(r'<label[^>]*for="id_agreed"[^>]*><input type="checkbox"', html)


def test_upload_works_as_a_plain_file_input() -> None:
    html = Sample()["photos"].as_field_group()
    tag = re.search(r"<input[^>]*>", html)[0]
    for attribute in ('type="file"', 'name="photos"', "multiple", 'id="id_photos"'):
        assert attribute in tag
    assert "capture" not in tag


def test_uploads_are_counted() -> None:
    field = UploadsField(maximum=2)
    files = [SimpleUploadedFile(f"{n}.jpg", b"x") for n in range(3)]
    assert field.clean(files[:2]) == files[:2]
    for wrong in (files, [], None):
        with pytest.raises(ValidationError):
            field.clean(wrong)


def test_date_input_speaks_iso_in_every_language() -> None:
    html = Sample(initial={"day": dt.date(2026, 3, 5)})["day"].as_widget()
    assert 'type="date"' in html
    assert 'value="2026-03-05"' in html


@pytest.mark.parametrize(
    ("widget", "value"),
    [
        (forms.Select, "b"),
        (forms.Select, None),
        (forms.Select(attrs={"class": 'a "b"', "required": True, "disabled": False}), "<c>"),
        (forms.SelectMultiple, ["a", "<c>"]),
        (forms.NullBooleanSelect, True),
    ],
)
def test_a_select_is_what_djangos_templates_write(widget: Any, value: Any) -> None:
    choices = [("", "–"), ("a", "A & A"), ("Group <1>", [("b", "B"), ("<c>", "<C>")])]
    field = forms.ChoiceField(choices=choices, widget=widget)
    html = [
        field.widget.render("x", value, {"id": "id_x"}, renderer)
        for renderer in (FormRenderer(), DjangoTemplates())
    ]
    assert parse_html(html[0]) == parse_html(html[1])
    assert "<C>" not in html[0]
