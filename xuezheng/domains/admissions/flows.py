"""The ways of an application, a follow-up, a consultation on service areas, a review, a path request."""

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from xuezheng.domains.admissions.access import Permission
from xuezheng.kernel.cases.flows import Flow, Phase, State, Step, register

APPLICATION = register(
    Flow(
        kind="application",
        label=_("入学登记"),
        prefix="RX",
        initial="submitted",
        url_name="application_detail",
        opening=Step("submit", _("提交登记"), (), "submitted", Permission.APPLY),
        states={
            "submitted": State(_("待核验"), Phase.WAITING, clocks=("verification",)),
            "correcting": State(_("待补正"), Phase.ACTING, clocks=("correction",)),
            "verified": State(_("已核验"), Phase.CHECKING, clocks=("result",)),
            "placed": State(_("待报到"), Phase.ACTING, clocks=("arrival",)),
            "unplaced": State(_("待统筹"), Phase.CHECKING, clocks=("result",)),
            "arrived": State(_("已报到"), Phase.CLOSED),
            "declined": State(_("已放弃"), Phase.CLOSED),
            "absent": State(_("未报到"), Phase.CLOSED),
            "withdrawn": State(pgettext_lazy("application", "已撤回"), Phase.CLOSED),
            "void": State(_("不予受理"), Phase.CLOSED),
        },
        steps=(
            Step("verify", _("核验通过"), ("submitted",), "verified", Permission.VERIFY, duty=True),
            Step(
                "return",
                _("一次告知补正"),
                ("submitted",),
                "correcting",
                Permission.VERIFY,
                needs_note=True,
            ),
            Step(
                "refuse", _("不予受理"), ("submitted",), "void", Permission.VERIFY, needs_note=True
            ),
            Step(
                "correct", _("提交补正"), ("correcting",), "submitted", Permission.APPLY, duty=True
            ),
            Step(
                "reopen",
                _("重新核验"),
                ("verified",),
                "submitted",
                Permission.VERIFY,
                needs_note=True,
            ),
            Step(
                "place",
                _("录取"),
                ("verified", "unplaced"),
                "placed",
                Permission.PUBLISH,
                duty=True,
                # Publishing the season's allocation places them all.
                for_all=True,
            ),
            Step("leave", _("本轮未录取"), ("verified",), "unplaced", Permission.PUBLISH),
            # A place that had to be confirmed and was not: the child goes into the next round.
            Step("lapse", _("逾期未确认"), ("placed",), "unplaced", Permission.PUBLISH),
            Step("arrive", _("报到"), ("placed",), "arrived", Permission.SCHOOL, duty=True),
            Step("miss", _("未报到"), ("placed",), "absent", Permission.SCHOOL),
            Step("decline", _("放弃学位"), ("placed", "unplaced"), "declined", Permission.APPLY),
            Step(
                "withdraw",
                _("撤回登记"),
                ("submitted", "correcting", "verified"),
                "withdrawn",
                Permission.APPLY,
            ),
        ),
    )
)

FOLLOW_UP = register(
    Flow(
        kind="enrolment_follow_up",
        label=_("未入学追踪"),
        prefix="ZX",
        initial="contacting",
        url_name="follow_up_detail",
        opening=Step("open", _("交办追踪"), (), "contacting", Permission.ROLL),
        states={
            "contacting": State(_("联系中"), Phase.ACTING, clocks=("contact",)),
            "reported": State(_("待核定"), Phase.CHECKING, clocks=("contact",)),
            "settled": State(_("已有去向"), Phase.CLOSED),
        },
        steps=(
            Step(
                "report",
                _("报告去向"),
                ("contacting",),
                "reported",
                Permission.FOLLOW_UP,
                duty=True,
                needs_note=True,
            ),
            Step(
                "settle",
                _("核定去向"),
                ("reported",),
                "settled",
                Permission.ROLL,
                duty=True,
                not_by=("report",),
            ),
            Step(
                "return",
                _("退回再查"),
                ("reported",),
                "contacting",
                Permission.ROLL,
                needs_note=True,
            ),
            # The family registered after all.
            Step("registered", _("已登记"), ("contacting", "reported"), "settled", Permission.ROLL),
        ),
    )
)

CONSULTATION = register(
    Flow(
        kind="zoning",
        label=_("服务区调整"),
        prefix="FW",
        initial="draft",
        url_name="consultation_detail",
        opening=Step("draft", _("拟定"), (), "draft", Permission.ZONES),
        states={
            "draft": State(_("拟定中"), Phase.DRAFT),
            "offices": State(_("征求镇街部门"), Phase.WAITING, clocks=("replies",)),
            "public": State(_("公开征求意见"), Phase.WAITING, clocks=("replies",)),
            "legality": State(_("合法性审查"), Phase.CHECKING, clocks=("legality",)),
            "meeting": State(_("待集体审议"), Phase.CHECKING, clocks=("meeting",)),
            "published": State(_("已公布"), Phase.CLOSED),
            "dropped": State(_("不再推进"), Phase.CLOSED),
        },
        steps=(
            Step("ask", _("送镇街部门"), ("draft",), "offices", Permission.ZONES, duty=True),
            Step("open", _("公开征求"), ("offices",), "public", Permission.ZONES, duty=True),
            Step("submit", _("送合法性审查"), ("public",), "legality", Permission.ZONES, duty=True),
            Step(
                "pass",
                _("审查通过"),
                ("legality",),
                "meeting",
                Permission.ZONES,
                duty=True,
                needs_note=True,
            ),
            Step(
                "redraft",
                _("退回修改"),
                ("offices", "public", "legality", "meeting"),
                "draft",
                Permission.ZONES,
                needs_note=True,
            ),
            Step("publish", _("公布"), ("meeting",), "published", Permission.PUBLISH, duty=True),
            Step(
                "drop",
                _("不再推进"),
                ("draft", "offices", "public", "legality", "meeting"),
                "dropped",
                Permission.ZONES,
                needs_note=True,
            ),
        ),
    )
)

REVIEW = register(
    Flow(
        kind="admission_review",
        label=_("录取复核"),
        prefix="FH",
        initial="asked",
        url_name="review_detail",
        opening=Step("ask", _("申请复核"), (), "asked", Permission.APPLY),
        states={
            "asked": State(_("复核中"), Phase.WAITING, clocks=("review",)),
            "upheld": State(_("维持"), Phase.CLOSED),
            "changed": State(_("更正"), Phase.CLOSED),
        },
        steps=(
            Step(
                "uphold",
                _("维持原结果"),
                ("asked",),
                "upheld",
                Permission.REVIEW,
                duty=True,
                needs_note=True,
            ),
            Step(
                "change", _("更正结果"), ("asked",), "changed", Permission.REVIEW, needs_note=True
            ),
        ),
    )
)


PATH = register(
    Flow(
        kind="admission_path",
        label=_("特殊入学申请"),
        prefix="TS",
        initial="asked",
        url_name="path_detail",
        opening=Step("ask", _("提出申请"), (), "asked", Permission.APPLY),
        states={
            "asked": State(_("待受理"), Phase.WAITING, clocks=("examination",)),
            "examined": State(_("待决定"), Phase.CHECKING, clocks=("decision",)),
            "granted": State(_("同意"), Phase.CLOSED),
            "refused": State(_("不同意"), Phase.CLOSED),
            "withdrawn": State(pgettext_lazy("application", "已撤回"), Phase.CLOSED),
        },
        steps=(
            Step(
                "examine",
                _("提出审核（专家）意见"),
                ("asked",),
                "examined",
                Permission.PATHS,
                duty=True,
                needs_note=True,
            ),
            # Another person decides than the one who wrote the opinion.
            Step(
                "grant",
                _("同意"),
                ("examined",),
                "granted",
                Permission.PATHS_DECIDE,
                duty=True,
                not_by=("examine",),
            ),
            Step(
                "refuse",
                _("不同意"),
                ("examined",),
                "refused",
                Permission.PATHS_DECIDE,
                needs_note=True,
                not_by=("examine",),
            ),
            Step(
                "withdraw",
                _("撤回申请"),
                ("asked", "examined"),
                "withdrawn",
                Permission.APPLY,
            ),
        ),
    )
)
