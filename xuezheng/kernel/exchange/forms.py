"""The upload form and the choice of how to write."""

from django import forms
from django.utils.encoding import force_str
from django.utils.translation import gettext_lazy as _

from xuezheng.kernel.access.actors import Actor
from xuezheng.kernel.exchange import services
from xuezheng.kernel.exchange.models import Batch, Mode
from xuezheng.kernel.exchange.table import tables


class UploadForm(forms.Form):
    """Which list, which file."""

    table = forms.ChoiceField(label=_("导入哪份名册"))
    file = forms.FileField(
        label=_("Excel 文件"),
        help_text=_(".xlsx 或 .xls，不超过 30 MB、10 万行。上传后先比对，确认之前不会写入。"),
        widget=forms.ClearableFileInput(attrs={"accept": ".xlsx,.xls,.et"}),
        allow_empty_file=True,
    )
    opening = forms.BooleanField(
        label=_("作为期初数据导入（做期初标记，供首月核对）"), required=False
    )

    def __init__(self, *args, actor: Actor, **kwargs):
        super().__init__(*args, **kwargs)
        self.actor = actor
        self.fields["table"].choices = [
            (table.key, force_str(table.title))
            for table in tables().values()
            if actor.can(table.permission)
        ]
        opening = {table.opening_permission for table in tables().values()} - {""}
        if not any(actor.can(permission) for permission in opening):
            del self.fields["opening"]

    def save(self) -> Batch:
        """Take the file in.  Raises services.Refused."""
        data = self.cleaned_data
        return services.receive(
            table=tables()[data["table"]],
            upload=data["file"],
            opening=data.get("opening", False),
            by=self.actor,
        )


class ConfirmForm(forms.Form):
    """All or nothing, or only what is right."""

    mode = forms.ChoiceField(label=_("怎么写入"), choices=Mode.choices, widget=forms.RadioSelect)

    def __init__(self, *args, batch: Batch, **kwargs):
        kwargs.setdefault("initial", {"mode": Mode.VALID if batch.error else Mode.ALL})
        super().__init__(*args, **kwargs)
        if batch.error:
            self.fields["mode"].choices = [(Mode.VALID.value, Mode.VALID.label)]
