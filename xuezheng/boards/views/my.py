"""A person's own page, and the code that changing what was submitted asks for again."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from xuezheng.boards import account_forms as forms
from xuezheng.boards.my import cards
from xuezheng.boards.views.sign_in import step_page, target_of
from xuezheng.kernel.access.guards import signed_in
from xuezheng.kernel.access.signin.ways import Way, WayRefused, configured
from xuezheng.registry.codes import masked_phone
from xuezheng.registry.services import families, signing_in

#: Where the session keeps the code that was sent, apart from one of signing in.
_BEGUN = "again"


def _my_page(request: HttpRequest, form: forms.NameForm | None = None) -> HttpResponse:
    user = request.user
    asks_name = bool(user.phone) and (form is not None or not user.name)
    context = {
        "cards": cards(request),
        "telephone": masked_phone(user.phone) if user.phone else "",
        "name_form": (form or forms.NameForm()) if asks_name else None,
    }
    return render(request, "boards/my.html", context, status=422 if form else 200)


@never_cache
@require_GET
@signed_in
def my(request: HttpRequest) -> HttpResponse:
    """What concerns the reader as a person; where families begin."""
    return _my_page(request)


@require_POST
@signed_in
def my_name(request: HttpRequest) -> HttpResponse:
    """A family says what it is called.  403 for staff."""
    form = forms.NameForm(request.POST)
    if form.is_valid():
        try:
            families.state_name(name=form.cleaned_data["name"], by=request.actor)
        except ValidationError as error:
            form.add_error("name", error.message_dict["name"][0])
    if not form.is_valid():
        return _my_page(request, form)
    messages.success(request, _("姓名已保存。"))
    return redirect("my")


# -- a code again -----------------------------------------------------------------------------------
def _sms() -> Way | None:
    return next((way for way in configured().values() if way.own_pages), None)


@never_cache
@require_http_methods(["GET", "POST"])
@signed_in
def again(request: HttpRequest) -> HttpResponse:
    """Send a code to the reader's own telephone before something sensitive is changed."""
    target, way = target_of(request), _sms()
    number = families.telephone_of(request.user)
    refused = ""
    if way is None or not number:
        refused = _("您的账号没有可用的手机验证方式，请到窗口办理。")
    elif request.method == "POST":
        try:
            begun = way.begin(signing_in.again_given(request), "")
        except WayRefused as why:
            refused = signing_in.way_refused(way, why)
        else:
            request.session[_BEGUN] = begun.remember
            return redirect(f"{reverse('again_code')}?{urlencode({'next': target})}")
    context = {
        "number": masked_phone(number) if number else "",
        "refused": refused,
        "may_send": way is not None and bool(number),
        "next": target,
    }
    return render(request, "boards/again.html", context, status=422 if refused else 200)


@never_cache
@require_http_methods(["GET", "POST"])
@signed_in
def again_code(request: HttpRequest) -> HttpResponse:
    """Take the code, and lead back to where the reader was."""
    target, way = target_of(request), _sms()
    begun: dict[str, Any] = request.session.get(_BEGUN, {})
    back = f"{reverse('again')}?{urlencode({'next': target})}"
    if way is None or not begun:
        return redirect(back)
    form = forms.CodeForm(
        request.POST or None, help_text=_("验证码已发往您的手机，通过后回到刚才的页面。")
    )
    if request.method == "POST" and form.is_valid():
        try:
            signing_in.prove_again(request, way, form.cleaned_data["code"], begun)
        except WayRefused as why:
            form.add_error("code", signing_in.way_refused(way, why))
        else:
            request.session.pop(_BEGUN, None)
            return redirect(target or "my")
    return step_page(
        request,
        form,
        title=_("填写短信验证码"),
        submit=_("确认"),
        told=begun.get("told", ""),
        back=back,
        back_words=_("重新获取验证码"),
    )
