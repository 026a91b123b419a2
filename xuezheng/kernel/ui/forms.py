from django import forms
from django.forms.renderers import TemplatesSetting


class FormRenderer(TemplatesSetting):
    pass


class DateInput(forms.DateInput):
    input_type = "date"
