"""What the program has told the reader, and where they want to be told."""

import django_filters as filters
from django.contrib import messages
from django.db.models import F, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from xuezheng.boards.account_forms import ContactForm
from xuezheng.kernel.access.guards import signed_in
from xuezheng.kernel.notices import services
from xuezheng.kernel.notices.channels import configured
from xuezheng.kernel.notices.models import Contact, Notice
from xuezheng.kernel.ui.lists import list_context
from xuezheng.registry.codes import masked_phone
from xuezheng.registry.services import families


class NoticeFilter(filters.FilterSet):
    """Unread or read, and words of the title."""

    read = filters.ChoiceFilter(
        label=gettext_lazy("是否已读"),
        method="by_read",
        choices=[("no", gettext_lazy("未读")), ("yes", gettext_lazy("已读"))],
    )
    q = filters.CharFilter(label=gettext_lazy("标题"), method="by_words")

    class Meta:
        model = Notice
        fields = ()

    def by_read(self, rows: QuerySet, _name: str, value: str) -> QuerySet:
        return rows.filter(read_at__isnull=value == "no")

    def by_words(self, rows: QuerySet, _name: str, words: str) -> QuerySet:
        found = Q()
        for word in words.split():
            found &= Q(title__icontains=word)
        return rows.filter(found)


@never_cache
@require_GET
@signed_in
def message_list(request: HttpRequest) -> HttpResponse:
    """Unread first, then the newest."""
    own = Notice.objects.visible_to(request.actor)
    unread = own.unread().count()
    # A null comes last when ascending: read ones after those not read.
    rows = own.order_by(F("read_at").desc(nulls_first=True), "-at", "-id")
    filterset = NoticeFilter(request.GET, queryset=rows, request=request)
    context = list_context(request, filterset, title=_("消息"))
    context |= {
        "unread": unread,
        "chips": [
            ("", _("全部"), own.count()),
            ("no", _("未读"), unread),
        ],
        "empty_title": "" if filterset.data else _("还没有消息"),
        "empty_text": "" if filterset.data else _("有事通知您时会出现在这里。"),
    }
    return render(request, "boards/message_list.html", context)


@require_POST
@signed_in
def message_open(request: HttpRequest, notice_id: int) -> HttpResponse:
    """Mark one's own message as read and go where it leads; never off this site."""
    notice = get_object_or_404(Notice.objects.visible_to(request.actor), pk=notice_id)
    services.read_notice(notice, by=request.actor)
    path = notice.path
    ours = path.startswith("/") and url_has_allowed_host_and_scheme(path, allowed_hosts=None)
    return redirect(path if ours else "message_list")


@require_POST
@signed_in
def messages_read(request: HttpRequest) -> HttpResponse:
    """Mark all of one's own messages as read."""
    number = services.read_all(by=request.actor)
    words = ngettext("%d 条消息标为已读。", "%d 条消息标为已读。", number)
    messages.success(request, words % number)
    return redirect("message_list")


@never_cache
@require_http_methods(["GET", "POST"])
@signed_in
def contact(request: HttpRequest) -> HttpResponse:
    """Which channels the reader wants, and the addresses of mail and work chat."""
    channels = configured()
    number = families.telephone_of(request.user) if "sms" in channels else ""
    form = ContactForm(
        request.POST or None,
        instance=Contact.objects.filter(user=request.user).first(),
        channels=channels,
        telephone=masked_phone(number) if number else "",
    )
    if request.method == "POST" and form.is_valid():
        form.save(by=request.actor)
        messages.success(request, _("消息提醒方式已保存。"))
        return redirect("account")
    status = 422 if form.errors else 200
    return render(request, "boards/contact.html", {"form": form}, status=status)
