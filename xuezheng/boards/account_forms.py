"""Forms of signing in, of one's own account, and of the security administrator's accounts."""

from collections.abc import Collection
from typing import Any

from django import forms
from django.contrib.auth.forms import PasswordChangeForm, SetPasswordForm, UsernameField
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from xuezheng.kernel.access.actors import Actor
from xuezheng.kernel.access.models import Organisation, Post, User
from xuezheng.kernel.access.permissions import roles
from xuezheng.kernel.notices.models import Contact
from xuezheng.kernel.notices.services import choose_channels
from xuezheng.kernel.ui.forms import DateInput
from xuezheng.registry.services import accounts, signing_in

#: Channel -> its fields of ContactForm.
CONTACT_FIELDS = {
    "sms": ("by_sms",),
    "mail": ("by_mail", "email"),
    "chat": ("by_chat", "chat_id"),
}


class SignInForm(forms.Form):
    """User name and password."""

    username = UsernameField(
        label=_("用户名"),
        max_length=64,
        widget=forms.TextInput(
            {"autocomplete": "username", "autocapitalize": "none", "autofocus": True}
        ),
    )
    password = forms.CharField(
        label=_("密码"),
        strip=False,
        max_length=200,
        widget=forms.PasswordInput({"autocomplete": "current-password"}),
        help_text=_("第一次登录或重置后，填管理员给的一次性密码。"),
    )

    def __init__(self, *args: Any, is_only: bool = True, **kwargs: Any):
        super().__init__(*args, **kwargs)
        if not is_only:
            del self.fields["username"].widget.attrs["autofocus"]


class NumberForm(forms.Form):
    """The telephone number that a code is sent to."""

    number = forms.CharField(
        label=_("手机号码"),
        max_length=20,
        widget=forms.TextInput({"inputmode": "tel", "autocomplete": "tel", "autofocus": True}),
        help_text=_("填在学校登记过的号码。"),
    )

    def __init__(self, *args: Any, anyone: bool = False, is_only: bool = True, **kwargs: Any):
        super().__init__(*args, **kwargs)
        field = self.fields["number"]
        if anyone:
            field.help_text = _("凭短信验证码登录。第一次登录自动建立账号，不用注册，不用密码。")
        if not is_only:
            del field.widget.attrs["autofocus"]


class NameForm(forms.Form):
    """What a family is called."""

    name = forms.CharField(
        label=_("您的姓名"),
        max_length=60,
        widget=forms.TextInput({"autocomplete": "name"}),
        help_text=_("照身份证件填写；办理登记时用这个姓名。"),
    )


class CodeForm(forms.Form):
    """A code of six digits, or a recovery code."""

    code = forms.CharField(
        label=_("验证码"),
        max_length=20,
        widget=forms.TextInput(
            {"inputmode": "numeric", "autocomplete": "one-time-code", "autofocus": True}
        ),
    )

    def __init__(self, *args: Any, help_text: str = "", **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["code"].help_text = help_text


class _NewPasswordWords:
    """Our words for Django's fields; the rules once, under the first."""

    def _say(self, help_text: str) -> None:
        self.fields["new_password1"].label = _("新密码")
        self.fields["new_password1"].help_text = help_text
        self.fields["new_password2"].label = _("再填一次新密码")
        self.fields["new_password2"].help_text = ""


class FirstPasswordForm(_NewPasswordWords, SetPasswordForm):
    """A password of one's own after a one-time password."""

    def __init__(self, user: User, *args: Any, help_text: str, **kwargs: Any):
        super().__init__(user, *args, **kwargs)
        self._say(help_text)


class OwnPasswordForm(_NewPasswordWords, PasswordChangeForm):
    """A new password, the present one given."""

    def __init__(self, user: User, *args: Any, help_text: str, **kwargs: Any):
        super().__init__(user, *args, **kwargs)
        self.fields["old_password"].label = _("现在的密码")
        self._say(help_text)

    def clean_old_password(self) -> str:
        """Wrong present passwords are counted as failed sign-ins."""
        given = self.cleaned_data["old_password"]
        try:
            signing_in.check_present_password(self.user, given)
        except signing_in.SignInRefused as refused:
            raise ValidationError(str(refused)) from refused
        return given


class ContactForm(forms.ModelForm):
    """Where a person wants to be told; offers the channels that are in use here."""

    class Meta:
        model = Contact
        fields = ("by_sms", "by_mail", "email", "by_chat", "chat_id")

    email = forms.EmailField(
        label=_("电子邮箱"),
        max_length=100,
        required=False,
        widget=forms.EmailInput({"autocomplete": "email"}),
    )
    chat_id = forms.RegexField(
        r"^[\w.@-]+$",
        label=_("工作群账号"),
        max_length=64,
        required=False,
        help_text=_("您在单位即时通信软件里的账号，由管理员告知。"),
    )

    def __init__(self, *args: Any, channels: Collection[str], telephone: str, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.channels = channels
        sms = self.fields["by_sms"]
        sms.label = _("发短信")
        sms.help_text = (
            _("发到 %s") % telephone if telephone else _("没有登记手机号码，收不到短信。")
        )
        self.fields["by_mail"].label = _("发邮件")
        self.fields["by_chat"].label = _("发到工作群")
        for channel, names in CONTACT_FIELDS.items():
            if channel not in channels:
                for name in names:
                    del self.fields[name]

    def save(self, *, by: Actor) -> Contact:
        """Keep the choice; what belongs to a channel that is not in use stays as it was."""
        names = ("by_sms", "by_mail", "by_chat", "email", "chat_id")
        kept = {name: getattr(self.instance, name) for name in names}
        given = {**kept, **self.cleaned_data}
        given |= {name: given[name] or "" for name in ("email", "chat_id")}
        return choose_channels(**given, by=by)


# -- the security administrator's ---------------------------------------------------------------------
class ReasonForm(forms.Form):
    """Why: it goes into the trail."""

    reason = forms.CharField(
        label=_("理由"),
        max_length=200,
        widget=forms.Textarea({"rows": 2}),
        help_text=_("记入审计；写依据或申请单编号，不写证件号、电话。"),
    )


class PostForm(ReasonForm):
    """A post to be given."""

    organisation = forms.ModelChoiceField(Organisation.objects.none(), label=_("单位"))
    role = forms.ChoiceField(label=_("岗位"))
    title = forms.CharField(label=_("职务"), max_length=60, required=False)
    valid_from = forms.DateField(label=_("任职日"), widget=DateInput, initial=timezone.localdate)
    valid_to = forms.DateField(label=_("离任日"), widget=DateInput, required=False)
    field_order = ("organisation", "role", "title", "valid_from", "valid_to", "reason")

    def __init__(self, *args: Any, actor: Actor, user: User | None, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.actor, self.user = actor, user
        self.fields["organisation"].queryset = accounts.assignable(actor)
        self.fields["role"].choices = [
            ("", "---------"),
            *((role.key, role.label) for role in roles().values()),
        ]

    def save(self) -> Post:
        """Give the post."""
        data = self.cleaned_data
        return accounts.grant_post(
            self.user,
            organisation_id=data["organisation"].id,
            role=data["role"],
            title=data["title"],
            valid_from=data["valid_from"],
            valid_to=data["valid_to"],
            by=self.actor,
            reason=data["reason"],
        )


class AccountForm(PostForm):
    """A new account with its first post."""

    username = forms.CharField(
        label=_("用户名"),
        max_length=64,
        help_text=_("字母、数字、点、横线或下划线；不用证件号、手机号。"),
        widget=forms.TextInput({"autocomplete": "off", "autocapitalize": "none"}),
    )
    name = forms.CharField(
        label=_("姓名"), max_length=60, widget=forms.TextInput({"autocomplete": "off"})
    )
    field_order = ("username", "name", "organisation", "role", "title", "valid_from", "reason")

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, user=None, **kwargs)
        del self.fields["valid_to"]

    def save(self) -> tuple[User, str]:
        """Open the account."""
        data = self.cleaned_data
        return accounts.create_account(
            username=data["username"],
            name=data["name"],
            posts=[(data["organisation"].id, data["role"], data["title"])],
            since=data["valid_from"],
            by=self.actor,
            reason=data["reason"],
        )


class EndPostForm(ReasonForm):
    """The last day of a post."""

    last_day = forms.DateField(label=_("离任日"), widget=DateInput, initial=timezone.localdate)
    field_order = ("last_day", "reason")
