"""A field for several photos or documents at once."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import ngettext

ACCEPT = "image/jpeg,image/png,image/webp,.pdf,.docx,.xlsx"


class UploadsInput(forms.ClearableFileInput):
    """A file input that takes several files; `capture` is not set, because it hides the album."""

    allow_multiple_selected = True
    template_name = "ui/uploads.html"


class UploadsField(forms.FileField):
    """A list of uploaded files, at most `maximum`.  Contents are checked when they are kept."""

    def __init__(self, *args: Any, maximum: int, **kwargs: Any):
        kwargs.setdefault("widget", UploadsInput(attrs={"accept": ACCEPT, "multiple": True}))
        super().__init__(*args, **kwargs)
        self.maximum = maximum

    def clean(self, data: Any, initial: Any = None) -> list:
        """The files.  Raises ValidationError when there are none or too many."""
        given = [item for item in data or [] if item] if isinstance(data, list) else [data]
        files = [super(UploadsField, self).clean(item, initial) for item in given if item]
        if self.required and not files:
            raise ValidationError(self.error_messages["required"], code="required")
        if len(files) > self.maximum:
            raise ValidationError(
                ngettext("最多传 %d 个文件。", "最多传 %d 个文件。", self.maximum) % self.maximum
            )
        return files
