"""The text filter of lists of people: its words stay out of the address (kernel/access/words.py)."""

from typing import Any

import django_filters as filters
from django import forms
from django.db.models import QuerySet

from xuezheng.kernel.access.words import PREFIX, kept_words
from xuezheng.kernel.ui.forms import SearchInput


class WordsInput(SearchInput):
    """A search box that shows the words and is posted as `words-<name>`, not under its own name."""

    #: Handle -> words; set by the field, which knows the request.
    words: Any = staticmethod(lambda _handle: None)

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        """The field's value is a handle; what is shown are its words."""
        return super().get_context(PREFIX + name, self.words(value) if value else None, attrs)


class WordsField(forms.CharField):
    """Its value is a handle; `words(handle)` gives what was typed, or None when that is gone."""

    widget = WordsInput

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.widget.attrs["autocomplete"] = "off"

    def words(self, handle: str) -> str | None:
        """Replaced by the filter."""
        return self.widget.words(handle)


class WordsFilter(filters.CharFilter):
    """Searches by words that are kept in the session; the filter set has `by_words(rows, name, words)`.

    A handle whose words are gone finds nobody: whoever follows it must not take the whole list, or an
    export of it, for what was searched.  The page says to search again.
    """

    field_class = WordsField

    @property
    def field(self) -> WordsField:
        """The form field, which shows the words of this request's session."""
        field = super().field
        request = self.parent.request
        field.widget.words = lambda handle: kept_words(request, handle)
        return field

    def filter(self, rows: QuerySet, handle: str) -> QuerySet:
        """Rows found by the words."""
        if not handle:
            return rows
        words = kept_words(self.parent.request, handle)
        return rows.none() if words is None else self.parent.by_words(rows, self.field_name, words)


def posted(form: forms.BaseForm) -> bool:
    """Whether a filter form must be posted, because one of its fields holds words of people."""
    return any(isinstance(field, WordsField) for field in form.fields.values())


def lost(form: forms.BaseForm) -> bool:
    """Whether the address holds a handle whose words are gone."""
    return any(
        (handle := form[name].value()) and field.words(handle) is None
        for name, field in form.fields.items()
        if isinstance(field, WordsField)
    )
