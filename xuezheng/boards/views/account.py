"""Signing in and out, changing the password."""

from django.contrib.auth import views as auth
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy

from xuezheng.kernel.access.guards import public, signed_in

# Class-based views of Django; `as_view()` returns a new function, which carries the guard.
sign_in = public(
    auth.LoginView.as_view(template_name="boards/sign_in.html", redirect_authenticated_user=True)
)
sign_out = public(auth.LogoutView.as_view())
change_password = signed_in(
    auth.PasswordChangeView.as_view(
        template_name="boards/change_password.html",
        success_url=reverse_lazy("home"),
        extra_context={"title": gettext_lazy("修改密码"), "submit": gettext_lazy("保存新密码")},
    )
)
