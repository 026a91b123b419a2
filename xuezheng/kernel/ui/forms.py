"""How forms look: the renderer of every form, field and widget, and the few widgets of our own."""

from typing import Any

from django import forms
from django.forms.renderers import DjangoTemplates

#: Django's widget templates that ours replace.
_OWN_WIDGETS = {
    "django/forms/widgets/radio.html": "ui/forms/choices.html",
    "django/forms/widgets/checkbox_select.html": "ui/forms/choices.html",
}


class FormRenderer(DjangoTemplates):
    """Renders `{{ form }}` with an error summary, `{{ field.as_field_group }}` as one field block.

    Choices by radio button or tick box become cards that work without a script.
    """

    form_template_name = "ui/forms/form.html"
    field_template_name = "ui/forms/field.html"

    def get_template(self, template_name: str) -> Any:
        """The template of that name, or ours in its place."""
        return super().get_template(_OWN_WIDGETS.get(template_name, template_name))


class DateInput(forms.DateInput):
    """The browser's own date field; its value is ISO, whatever the language."""

    input_type = "date"

    def __init__(self, attrs: dict[str, Any] | None = None):
        super().__init__(attrs, format="%Y-%m-%d")


class NumberInput(forms.NumberInput):
    """A number typed on a phone's numeric keys; never changed by the mouse wheel by accident."""

    input_type = "text"

    def __init__(self, attrs: dict[str, Any] | None = None):
        super().__init__({"inputmode": "decimal", **(attrs or {})})


class SearchInput(forms.TextInput):
    """A search box."""

    input_type = "search"
