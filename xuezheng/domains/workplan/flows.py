"""The ways of milestones, requests for more time, supervision sheets, recurring reports, reviews."""

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
                answers=True,
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
            Step(
                "grant",
                _("同意"),
                ("asked",),
                "granted",
                Permission.DECIDE,
                duty=True,
                answers=True,
            ),
            Step(
                "refuse",
                _("不同意"),
                ("asked",),
                "refused",
                Permission.DECIDE,
                needs_note=True,
                answers=True,
            ),
            # The milestone was reported as done before the request was decided.
            Step("lapse", _("失效"), ("asked",), "lapsed", Permission.REPORT),
        ),
    )
)

ROUND = register(
    Flow(
        kind="round_report",
        label=_("进展填报"),
        prefix="JZ",
        initial="filling",
        url_name="round_report",
        opening=Step("open", _("开始填报"), (), "filling", Permission.EDIT),
        states={
            "filling": State(_("待填报"), Phase.ACTING, clocks=("round",)),
            "filled": State(_("待科室确认"), Phase.ACTING, clocks=("round",)),
            "confirmed": State(_("待分管领导签字"), Phase.WAITING, clocks=("round",)),
            "signed": State(_("待办公室审核"), Phase.CHECKING, clocks=("round",)),
            "accepted": State(_("已收"), Phase.CLOSED),
            "missed": State(_("未报"), Phase.CLOSED),
        },
        steps=(
            Step("fill", _("填报"), ("filling",), "filled", Permission.REPORT, duty=True),
            # A head who fills it in needs no second signature of their own: the leader is the other eye.
            Step("submit", _("填报并确认"), ("filling",), "confirmed", Permission.CONFIRM),
            Step(
                "confirm",
                _("确认"),
                ("filled",),
                "confirmed",
                Permission.CONFIRM,
                duty=True,
                not_by=("fill",),
            ),
            Step(
                "rework",
                _("退回经办人"),
                ("filled",),
                "filling",
                Permission.CONFIRM,
                needs_note=True,
                answers=True,
            ),
            Step(
                "sign",
                _("签字"),
                ("confirmed",),
                "signed",
                Permission.SIGN,
                duty=True,
                not_by=("fill", "submit", "confirm"),
            ),
            Step(
                "object",
                _("不签，退回科室"),
                ("confirmed",),
                "filling",
                Permission.SIGN,
                needs_note=True,
                answers=True,
            ),
            Step(
                "accept",
                _("收下"),
                ("signed",),
                "accepted",
                Permission.ACCEPT,
                duty=True,
                not_by=("fill", "submit", "confirm", "sign"),
            ),
            Step(
                "return",
                _("退回"),
                ("signed",),
                "filling",
                Permission.ACCEPT,
                needs_note=True,
            ),
            # The next round has opened: what never reached the plan office stays counted as missing.
            Step(
                "lapse",
                _("未报"),
                ("filling", "filled", "confirmed"),
                "missed",
                Permission.EDIT,
            ),
        ),
    )
)

CLOSING = register(
    Flow(
        kind="closing",
        label=_("销号申请"),
        prefix="XH",
        initial="applied",
        url_name="closing_detail",
        opening=Step("apply", _("申请销号"), (), "applied", Permission.REPORT),
        states={
            "applied": State(_("待核查"), Phase.CHECKING, clocks=("closing",)),
            "checked": State(_("待批准"), Phase.WAITING, clocks=("closing",)),
            "closed": State(_("已销号"), Phase.CLOSED),
            "refused": State(_("已退回"), Phase.CLOSED),
        },
        steps=(
            Step(
                "check",
                _("核查通过"),
                ("applied",),
                "checked",
                Permission.ACCEPT,
                duty=True,
                not_by=("apply",),
            ),
            Step(
                "refuse",
                _("退回"),
                ("applied",),
                "refused",
                Permission.ACCEPT,
                needs_note=True,
                answers=True,
            ),
            Step(
                "approve",
                _("批准销号"),
                ("checked",),
                "closed",
                Permission.DECIDE,
                duty=True,
                not_by=("apply", "check"),
                answers=True,
            ),
            Step(
                "decline",
                _("不同意"),
                ("checked",),
                "refused",
                Permission.DECIDE,
                needs_note=True,
                answers=True,
            ),
        ),
    )
)

SUPERVISION = register(
    Flow(
        kind="supervision",
        label=_("督办单"),
        prefix="DB",
        initial="proposed",
        url_name="supervision_detail",
        opening=Step("propose", _("提出督办"), (), "proposed", Permission.SUPERVISE),
        states={
            "proposed": State(_("待签发"), Phase.WAITING, clocks=("issuing",)),
            "issued": State(_("待签收"), Phase.ACTING, clocks=("signing", "work")),
            "acting": State(_("办理中"), Phase.ACTING, clocks=("work",)),
            "asked": State(_("延期待批"), Phase.WAITING, clocks=("work", "decision")),
            # The office has answered: its clock stops, and a returned answer starts it again with
            # the old due day.
            "replied": State(_("待审核"), Phase.CHECKING, clocks=("checking",)),
            "settled": State(_("已办结，待归档"), Phase.CHECKING, clocks=("filing",)),
            "filed": State(_("已归档"), Phase.CLOSED),
            "dismissed": State(_("已撤销"), Phase.CLOSED),
        },
        steps=(
            Step("issue", _("签发"), ("proposed",), "issued", Permission.SUPERVISE, duty=True),
            Step("sign", _("签收"), ("issued",), "acting", Permission.REPORT, duty=True),
            Step(
                "reply",
                _("回复"),
                ("acting",),
                "replied",
                Permission.REPORT,
                duty=True,
                needs_note=True,
            ),
            Step("ask", _("申请延期"), ("acting",), "asked", Permission.EXTEND, needs_note=True),
            Step(
                "grant",
                _("同意"),
                ("asked",),
                "acting",
                Permission.DECIDE,
                duty=True,
                answers=True,
            ),
            Step(
                "refuse",
                _("不同意"),
                ("asked",),
                "acting",
                Permission.DECIDE,
                needs_note=True,
                answers=True,
            ),
            Step(
                "settle",
                _("办结"),
                ("replied",),
                "settled",
                Permission.SUPERVISE,
                duty=True,
                not_by=("reply",),
            ),
            Step(
                "return",
                _("退回"),
                ("replied",),
                "acting",
                Permission.SUPERVISE,
                needs_note=True,
                answers=True,
            ),
            Step("file", _("归档"), ("settled",), "filed", Permission.SUPERVISE, duty=True),
            Step(
                "dismiss",
                _("撤销"),
                ("proposed", "issued", "acting"),
                "dismissed",
                Permission.SUPERVISE,
                needs_note=True,
            ),
        ),
    )
)

REPORT_TURN = register(
    Flow(
        kind="report_turn",
        label=_("定期报送"),
        prefix="BS",
        initial="due",
        url_name="report_turn_detail",
        opening=Step("remind", _("提醒报送"), (), "due", Permission.SUPERVISE),
        states={
            "due": State(_("待报送"), Phase.ACTING, clocks=("sending",)),
            "sent": State(_("已报送"), Phase.CLOSED),
            "skipped": State(_("本期不报"), Phase.CLOSED),
        },
        steps=(
            Step("send", _("报送"), ("due",), "sent", Permission.REPORT, duty=True),
            Step("skip", _("本期不报"), ("due",), "skipped", Permission.SUPERVISE, needs_note=True),
        ),
    )
)

DOCUMENT_REVIEW = register(
    Flow(
        kind="document_review",
        label=_("文件复审"),
        prefix="FS",
        initial="due",
        url_name="document_review_detail",
        opening=Step("remind", _("提醒复审"), (), "due", Permission.SUPERVISE),
        states={
            "due": State(_("待复审"), Phase.ACTING, clocks=("review",)),
            "done": State(_("已复审"), Phase.CLOSED),
        },
        steps=(
            Step(
                "conclude",
                _("报告复审结论"),
                ("due",),
                "done",
                Permission.REPORT,
                duty=True,
                needs_note=True,
            ),
        ),
    )
)
