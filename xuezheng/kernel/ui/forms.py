"""How forms look: the renderer of every form, field and widget, and the few widgets of our own."""

from typing import Any

from django import forms
from django.forms.renderers import DjangoTemplates
from django.forms.utils import flatatt
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

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

    def render(
        self, template_name: str, context: dict[str, Any], request: HttpRequest | None = None
    ) -> SafeString:
        """A select is written without a template: one for each option costs most of a list's page."""
        if template_name == "django/forms/widgets/select.html":
            return _select(context["widget"])
        return super().render(template_name, context, request)


def _select(widget: dict[str, Any]) -> SafeString:
    """What Django's templates of a select and its options write, from the same context."""
    groups = (
        (
            format_html('<optgroup label="{}">{}</optgroup>', name, _options(options))
            if name
            else _options(options),
        )
        for name, options, _index in widget["optgroups"]
    )
    attributes = flatatt(widget["attrs"])
    inside = format_html_join("", "{}", groups)
    return format_html('<select name="{}"{}>{}</select>', widget["name"], attributes, inside)


def _options(options: list[dict[str, Any]]) -> SafeString:
    lines = ((option["value"], flatatt(option["attrs"]), option["label"]) for option in options)
    return format_html_join("", '<option value="{}"{}>{}</option>', lines)


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
