"""The ways of a milestone and of a request for more time."""

from django.utils.translation import gettext_lazy as _

from xuezheng.domains.workplan.access import Permission
from xuezheng.kernel.cases.flows import Flow, Phase, State, Step, register

MILESTONE = register(
    Flow(
        kind="milestone",
        label=_("节点"),
        prefix="JD",
        initial="draft",
        url_name="milestone_detail",
        opening=Step("draft", _("拟定"), (), "draft", Permission.EDIT),
        states={
            "draft": State(_("拟定中"), Phase.DRAFT),
            "planned": State(_("办理中"), Phase.ACTING, clocks=("milestone",)),
            # The clock runs on while the plan office looks: a returned report gives no extra time.
            "reported": State(_("待核验"), Phase.CHECKING, clocks=("milestone",)),
            "accepted": State(_("已完成"), Phase.CLOSED),
            "withdrawn": State(_("已撤销"), Phase.CLOSED),
        },
        steps=(
            Step("publish", _("交办"), ("draft",), "planned", Permission.ADOPT, duty=True),
            Step(
                "report",
                _("报告完成"),
                ("planned",),
                "reported",
                Permission.REPORT,
                duty=True,
                needs_note=True,
            ),
            Step(
                "accept",
                _("核验通过"),
                ("reported",),
                "accepted",
                Permission.ACCEPT,
                duty=True,
                not_by=("report",),
            ),
            Step(
                "return",
                _("退回"),
                ("reported",),
                "planned",
                Permission.ACCEPT,
                needs_note=True,
            ),
            Step("extend", _("延期"), ("planned",), "planned", Permission.DECIDE),
            Step(
                "withdraw",
                _("撤销"),
                ("draft", "planned", "reported"),
                "withdrawn",
                Permission.EDIT,
                needs_note=True,
            ),
        ),
    )
)

EXTENSION = register(
    Flow(
        kind="extension",
        label=_("延期申请"),
        prefix="YQ",
        initial="asked",
        url_name="extension_detail",
        opening=Step("ask", _("申请延期"), (), "asked", Permission.EXTEND),
        states={
            "asked": State(_("待审批"), Phase.WAITING, clocks=("decision",)),
            "granted": State(_("已同意"), Phase.CLOSED),
            "refused": State(_("未同意"), Phase.CLOSED),
            "lapsed": State(_("已失效"), Phase.CLOSED),
        },
        steps=(
            Step("grant", _("同意"), ("asked",), "granted", Permission.DECIDE, duty=True),
            Step(
                "refuse",
                _("不同意"),
                ("asked",),
                "refused",
                Permission.DECIDE,
                needs_note=True,
            ),
            # The milestone was reported as done before the request was decided.
            Step("lapse", _("失效"), ("asked",), "lapsed", Permission.REPORT),
        ),
    )
)
