"""The way of a hazard."""

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from xuezheng.domains.oversight.access import Permission
from xuezheng.kernel.cases.flows import Flow, Phase, State, Step, register

HAZARD = register(
    Flow(
        kind="hazard",
        label=_("隐患"),
        prefix="YH",
        initial="reported",
        url_name="hazard_detail",
        opening=Step("report", _("上报"), (), "reported", Permission.REPORT),
        states={
            "reported": State(_("待定级"), Phase.WAITING, clocks=("grading",)),
            "rectifying": State(_("整改中"), Phase.ACTING, clocks=("rectification",)),
            # The site has done its part: its clock stops, and a failed re-check starts it again with
            # the old due day, so that failing gives no extra time.
            "rechecking": State(_("待复查"), Phase.CHECKING, clocks=("recheck",)),
            "verified": State(_("待摘牌"), Phase.CHECKING, clocks=("recheck",)),
            "closed": State(pgettext_lazy("hazard", "已销号"), Phase.CLOSED),
            "dismissed": State(_("不属隐患"), Phase.CLOSED),
        },
        steps=(
            Step("grade", _("定级"), ("reported",), "rectifying", Permission.GRADE, duty=True),
            Step(
                "dismiss",
                _("不予立案"),
                ("reported",),
                "dismissed",
                Permission.GRADE,
                needs_note=True,
                answers=True,
            ),
            Step(
                "rectify",
                _("报告整改"),
                ("rectifying",),
                "rechecking",
                Permission.RECTIFY,
                duty=True,
                needs_note=True,
            ),
            Step(
                "pass",
                _("复查通过"),
                ("rechecking",),
                "closed",
                Permission.RECHECK,
                duty=True,
                not_by=("rectify",),
            ),
            Step(
                "pass_major",
                _("复查通过，报请摘牌"),
                ("rechecking",),
                "verified",
                Permission.RECHECK,
                not_by=("rectify",),
            ),
            Step(
                "fail",
                _("复查不通过"),
                ("rechecking",),
                "rectifying",
                Permission.RECHECK,
                needs_note=True,
                not_by=("rectify",),
                answers=True,
            ),
            Step(
                "release",
                _("摘牌销号"),
                ("verified",),
                "closed",
                Permission.RELEASE,
                duty=True,
                not_by=("pass_major",),
            ),
        ),
    )
)
