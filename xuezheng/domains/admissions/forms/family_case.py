"""What a family fills in after the reference: putting right, review, rating, special paths."""

import uuid
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from xuezheng.domains.admissions.models import PathRequest, Season
from xuezheng.kernel.access.actors import Actor
from xuezheng.kernel.access.models import Organisation
from xuezheng.kernel.ui.forms import DateInput, NumberInput
from xuezheng.kernel.ui.uploads import UploadsField
from xuezheng.registry.models.people import IdKind, Sex
from xuezheng.registry.organisations import OrganisationKind

SCHOOLS = (OrganisationKind.PRIMARY, OrganisationKind.JUNIOR, OrganisationKind.NINE_YEAR)


class ReviewForm(forms.Form):
    ground = forms.CharField(
        label=gettext_lazy("为什么申请复核"),
        max_length=1000,
        widget=forms.Textarea({"rows": 6}),
        help_text=gettext_lazy("写清哪一项与事实不符，能帮我们更快查清。"),
    )
    key = forms.UUIDField(widget=forms.HiddenInput, initial=uuid.uuid4)


class RatingForm(forms.Form):
    grade = forms.TypedChoiceField(
        label=gettext_lazy("这次办事您满意吗？"),
        coerce=int,
        widget=forms.RadioSelect,
        choices=[
            (5, gettext_lazy("非常满意")),
            (4, gettext_lazy("满意")),
            (3, gettext_lazy("基本满意")),
            (2, gettext_lazy("不满意")),
            (1, gettext_lazy("非常不满意")),
        ],
    )
    text = forms.CharField(
        label=gettext_lazy("想说的话"),
        max_length=300,
        required=False,
        widget=forms.Textarea({"rows": 3}),
        help_text=gettext_lazy("不写孩子和家人的姓名。"),
    )


class PathForm(forms.Form):
    """One short form for each of the ways beside the regular one."""

    season = forms.ModelChoiceField(
        Season.objects.none(), label=gettext_lazy("入学批次"), empty_label=gettext_lazy("请选择")
    )
    child_name = forms.CharField(label=gettext_lazy("孩子姓名"), max_length=60)
    id_kind = forms.ChoiceField(label=gettext_lazy("证件类型"), choices=IdKind)
    id_number = forms.CharField(label=gettext_lazy("证件号码"), max_length=30)
    born_on = forms.DateField(
        label=gettext_lazy("出生日期"),
        required=False,
        widget=DateInput,
        help_text=gettext_lazy("居民身份证不用填。"),
    )
    sex = forms.ChoiceField(label=gettext_lazy("性别"), required=False, choices=Sex)
    guardian_name = forms.CharField(label=gettext_lazy("您的姓名"), max_length=60)
    phone = forms.RegexField(
        r"^1\d{10}$",
        label=gettext_lazy("手机号码"),
        error_messages={"invalid": gettext_lazy("请填写 11 位手机号码。")},
    )
    until = forms.DateField(label=gettext_lazy("缓学到哪天"), widget=DateInput)
    school = forms.ModelChoiceField(
        Organisation.objects.none(),
        label=gettext_lazy("想转入的学校"),
        empty_label=gettext_lazy("请选择"),
    )
    grade = forms.IntegerField(
        label=gettext_lazy("年级"), min_value=1, max_value=9, widget=NumberInput
    )
    ground = forms.CharField(
        label=gettext_lazy("申请理由"), max_length=1000, widget=forms.Textarea({"rows": 5})
    )
    uploads = UploadsField(label=gettext_lazy("证明材料"), maximum=6, required=False)
    key = forms.UUIDField(widget=forms.HiddenInput, initial=uuid.uuid4)

    def __init__(
        self, *args: Any, kind: str, actor: Actor, at_counter: bool = False, **kwargs: Any
    ):
        super().__init__(*args, **kwargs)
        seasons = Season.objects.announced().exclude(state=Season.State.FINISHED)
        self.fields["season"].queryset = seasons
        is_transfer = kind == PathRequest.Kind.TRANSFER
        for name in ("season", "until") if is_transfer else ("school", "grade"):
            del self.fields[name]
        if kind != PathRequest.Kind.DEFERRAL:
            self.fields.pop("until", None)
        if is_transfer:
            schools = Organisation.objects.filter(kind__in=SCHOOLS, closed__isnull=True)
            self.fields["school"].queryset = schools
        if at_counter:
            self.fields["guardian_name"].label = _("监护人姓名")
            self.fields["phone"].required = False
            self.fields["phone"].help_text = _("没有手机的可以不填，凭回执编号到窗口查询。")
        elif actor.user:
            self.fields["guardian_name"].initial = actor.user.name
            self.fields["phone"].initial = actor.user.phone
        self.fields["ground"].help_text = {
            PathRequest.Kind.DEFERRAL: _("缓学须有医疗机构证明等正当理由。"),
            PathRequest.Kind.HOME: _("孩子不能到校就读的情况。"),
            PathRequest.Kind.SPECIAL: _(
                "由专家委员会评估后提出安置意见，只有评估和决定的人看得到。"
            ),
        }.get(kind, "")
