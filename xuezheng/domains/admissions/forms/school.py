"""Forms of a school's new children and of its classes."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from xuezheng.domains.admissions.services.twins import Group, Wish
from xuezheng.kernel.access.models import Post


class PrepareForm(forms.Form):
    """How many classes, how twins sit, which teachers lead."""

    classes = forms.IntegerField(label=_("班数"), min_value=1, max_value=30)
    teachers = forms.MultipleChoiceField(
        label=_("班主任人选"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("选的人数等于班数时，班主任也由抽签定班；都不选则以后再定。"),
    )

    def __init__(
        self,
        *args: Any,
        groups: list[tuple[Group, str, str]],
        teachers: list[Post],
        **kwargs: Any,
    ):
        super().__init__(*args, **kwargs)
        self.groups = groups
        self.fields["teachers"].choices = [(str(post.id), str(post.user)) for post in teachers]
        for number, (_codes, names, wish) in enumerate(groups):
            self.fields[f"twins_{number}"] = forms.ChoiceField(
                label=_("双胞胎（多胞胎）：%s") % names,
                choices=[
                    (Wish.CLASS, _("同班")),
                    (Wish.SPLIT, _("不同班")),
                    (Wish.SCHOOL, _("随抽签")),
                ],
                initial=wish,
                help_text=_("已按家长登记时的意愿选好；登记里没有写的默认同班。"),
            )
        self.order_fields(["classes", *(f"twins_{n}" for n in range(len(groups))), "teachers"])

    def chosen(self) -> dict[str, Any]:
        """As services/classing.prepare takes it."""
        data = self.cleaned_data
        return {
            "classes": data["classes"],
            "wishes": {
                codes: data[f"twins_{number}"]
                for number, (codes, _names, _wish) in enumerate(self.groups)
            },
            "teachers": [int(key) for key in data["teachers"]],
        }


class DigitsForm(forms.Form):
    """What was drawn on stage, and who saw it."""

    digits = forms.CharField(
        label=_("现场摸出的数字"),
        max_length=60,
        help_text=_("至少六位，由家长代表一位一位摸出。"),
    )
    witnesses = forms.CharField(
        label=_("见证人"), max_length=200, help_text=_("写身份，如家长代表5人、责任督学。")
    )


class VoidForm(forms.Form):
    """Why a draw is given up."""

    reason = forms.CharField(label=_("作废理由"), min_length=4, max_length=300)


class FileForm(forms.Form):
    """Why the whole numbers are needed, and whether wrong rows may be left out."""

    reason = forms.CharField(
        label=_("用途"),
        min_length=4,
        max_length=200,
        help_text=_("文件里是完整号码；用途会留在审计记录里，不写个人姓名。"),
    )
    leave_out = forms.BooleanField(label=_("有问题的先不放进文件"), required=False)
