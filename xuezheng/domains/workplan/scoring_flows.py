"""The ways of a quarter's score sheet and of a contest against one of its events."""

from django.utils.translation import gettext_lazy as _

from xuezheng.domains.workplan.access import Permission
from xuezheng.kernel.cases.flows import Flow, Phase, State, Step, register

SCORE_SHEET = register(
    Flow(
        kind="score_sheet",
        label=_("科室季度评分"),
        prefix="PF",
        initial="draft",
        url_name="score_detail",
        opening=Step("compute", _("按记录计算"), (), "draft", Permission.SCORE),
        states={
            "draft": State(_("计算稿"), Phase.CHECKING, clocks=("showing",)),
            "shown": State(_("科室核对中"), Phase.ACTING, clocks=("contest",)),
            "waiting": State(_("待局长审定"), Phase.WAITING, clocks=("approval",)),
            "published": State(_("已公布"), Phase.CLOSED),
            "withdrawn": State(_("已撤回"), Phase.CLOSED),
        },
        steps=(
            Step("show", _("交科室核对"), ("draft",), "shown", Permission.SCORE, duty=True),
            Step("submit", _("报局长审定"), ("shown",), "waiting", Permission.SCORE, duty=True),
            Step(
                "publish",
                _("审定并公布"),
                ("waiting",),
                "published",
                Permission.SCORE_PUBLISH,
                duty=True,
                not_by=("show", "submit"),
                answers=True,
            ),
            Step(
                "refuse",
                _("不同意，退回"),
                ("waiting",),
                "shown",
                Permission.SCORE_PUBLISH,
                needs_note=True,
                answers=True,
            ),
            Step(
                "withdraw",
                _("撤回"),
                ("draft", "shown", "waiting"),
                "withdrawn",
                Permission.SCORE,
                needs_note=True,
            ),
        ),
    )
)

SCORE_CONTEST = register(
    Flow(
        kind="score_contest",
        label=_("评分异议"),
        prefix="YY",
        initial="asked",
        url_name="score_contest_detail",
        opening=Step("contest", _("提出异议"), (), "asked", Permission.REPORT),
        states={
            "asked": State(_("待答复"), Phase.WAITING, clocks=("answer",)),
            "upheld": State(_("维持"), Phase.CLOSED),
            "struck": State(_("已剔除"), Phase.CLOSED),
        },
        steps=(
            Step(
                "strike",
                _("剔除这一项"),
                ("asked",),
                "struck",
                Permission.SCORE_ANSWER,
                duty=True,
                needs_note=True,
                not_by=("contest",),
                answers=True,
            ),
            Step(
                "uphold",
                _("维持这一项"),
                ("asked",),
                "upheld",
                Permission.SCORE_ANSWER,
                needs_note=True,
                not_by=("contest",),
                answers=True,
            ),
        ),
    )
)
