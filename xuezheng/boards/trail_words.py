"""What the entries of the trail mean, for an auditor who does not read the code.

Acts on one person's file have their words beside the page of who looked (registry/looking.py); steps
of cases are called by their flow.
"""

from django.utils.translation import pgettext_lazy

from xuezheng.kernel.audit.models import Entry
from xuezheng.kernel.cases.flows import FLOWS
from xuezheng.registry import looking

ACTIONS = {
    "account.created": pgettext_lazy("act", "开通账号"),
    "account.disabled": pgettext_lazy("act", "停用账号"),
    "account.enabled": pgettext_lazy("act", "恢复账号"),
    "account.export": pgettext_lazy("act", "导出账号名单"),
    "account.factor_reset": pgettext_lazy("act", "重置动态验证码"),
    "account.named": pgettext_lazy("act", "填写自己的姓名"),
    "account.opened": pgettext_lazy("act", "凭手机验证建立账号"),
    "account.password_reset": pgettext_lazy("act", "重置密码"),
    "account.post_ended": pgettext_lazy("act", "结束岗位"),
    "account.post_granted": pgettext_lazy("act", "增加岗位"),
    "account.unlocked": pgettext_lazy("act", "解除账号锁定"),
    "backup.made": pgettext_lazy("act", "备份"),
    "backup.restored": pgettext_lazy("act", "从备份恢复"),
    "bundle.take": pgettext_lazy("act", "接收区县数据包"),
    "bundle.trust": pgettext_lazy("act", "登记区县公钥"),
    "bundle.write": pgettext_lazy("act", "生成数据包"),
    "code.proved": pgettext_lazy("act", "再次通过短信验证"),
    "class.close": pgettext_lazy("act", "撤销班级"),
    "class.create": pgettext_lazy("act", "新建班级"),
    "class.graduate": pgettext_lazy("act", "整班毕业"),
    "class.open": pgettext_lazy("act", "查看班级名单"),
    "class.rename": pgettext_lazy("act", "修改班级"),
    "client.add": pgettext_lazy("act", "接入程序"),
    "client.export": pgettext_lazy("act", "导出接入程序名单"),
    "client.revoke": pgettext_lazy("act", "停用程序接入"),
    "class.take_back": pgettext_lazy("act", "撤回毕业"),
    "commitment.accept": pgettext_lazy("act", "确认任务完成"),
    "draft.make": pgettext_lazy("act", "起草督查文稿"),
    "plan.carry_over": pgettext_lazy("act", "结转未完成任务"),
    "recurring.set": pgettext_lazy("act", "设置定期报告"),
    "source.export": pgettext_lazy("act", "导出任务来源"),
    "source.link": pgettext_lazy("act", "来源连到任务"),
    "source.note": pgettext_lazy("act", "写领导批示"),
    "source.register": pgettext_lazy("act", "登记任务来源"),
    "source.take_over": pgettext_lazy("act", "纪要任务并入计划"),
    "supervision.export": pgettext_lazy("act", "导出督办台账"),
    "supervision.raise": pgettext_lazy("act", "催促升级督办单"),
    "contact.choose": pgettext_lazy("act", "选择消息提醒方式"),
    "community.save": pgettext_lazy("act", "登记社区（村）"),
    "duplicates.different": pgettext_lazy("act", "判定不是同一人"),
    "duplicates.find": pgettext_lazy("act", "查找疑似重复"),
    "dwelling.save": pgettext_lazy("act", "登记住址（门牌）"),
    "guardian.compare": pgettext_lazy("act", "比对疑似重复监护人"),
    "guardian.linked": pgettext_lazy("act", "账号关联到监护人"),
    "guardian.merge": pgettext_lazy("act", "合并监护人"),
    "guardian.unmerge": pgettext_lazy("act", "撤销合并监护人"),
    "hazard.export": pgettext_lazy("act", "导出隐患台账"),
    "import.apply": pgettext_lazy("act", "写入导入的名册"),
    "import.give_up": pgettext_lazy("act", "放弃导入"),
    "import.handout": pgettext_lazy("act", "取走初始密码表"),
    "import.overtaken": pgettext_lazy("act", "导入内容已被改动"),
    "import.read": pgettext_lazy("act", "查看导入内容"),
    "import.receive": pgettext_lazy("act", "上传名册"),
    "import.undo": pgettext_lazy("act", "撤销导入"),
    "import.wrong_rows": pgettext_lazy("act", "下载错误行"),
    "indicator.export": pgettext_lazy("act", "导出指标"),
    "indicator.proof": pgettext_lazy("act", "查看指标数据明细"),
    "job.cancel": pgettext_lazy("act", "取消后台任务"),
    "job.export": pgettext_lazy("act", "导出后台任务"),
    "job.retry": pgettext_lazy("act", "重试后台任务"),
    "light.override": pgettext_lazy("act", "人工调整亮灯"),
    "light.rule": pgettext_lazy("act", "评定亮灯"),
    "list.export": pgettext_lazy("act", "导出名单"),
    "list.reveal": pgettext_lazy("act", "导出完整号码"),
    "looked.search": pgettext_lazy("act", "查询“谁看过谁”"),
    "notices.digest": pgettext_lazy("act", "生成每日消息汇总"),
    "notices.send": pgettext_lazy("act", "外发消息"),
    "opening.match": pgettext_lazy("act", "指定对应单位"),
    "opening.switch": pgettext_lazy("act", "按学校启用或停用系统"),
    "opening.unmatch": pgettext_lazy("act", "取消对应单位"),
    "parameter.set": pgettext_lazy("act", "修改政策参数"),
    "password.changed": pgettext_lazy("act", "修改密码"),
    "password.failed": pgettext_lazy("act", "修改密码未成功"),
    "people.search": pgettext_lazy("act", "搜索人员"),
    "plan.add": pgettext_lazy("act", "增加任务"),
    "plan.adopt": pgettext_lazy("act", "印发工作要点"),
    "plan.edit": pgettext_lazy("act", "修改任务"),
    "plan.export": pgettext_lazy("act", "导出任务清单"),
    "plan.import": pgettext_lazy("act", "导入工作要点"),
    "plan.merge": pgettext_lazy("act", "合并任务"),
    "plan.milestone": pgettext_lazy("act", "修改节点"),
    "plan.resolve": pgettext_lazy("act", "处理待审核项"),
    "plan.split": pgettext_lazy("act", "拆分任务"),
    "plan.target": pgettext_lazy("act", "修改目标值"),
    "plan.withdraw": pgettext_lazy("act", "撤销任务"),
    "province.export": pgettext_lazy("act", "导出全省指标"),
    "pupil.find": pgettext_lazy("act", "按号码查找学生"),
    "pupil.search": pgettext_lazy("act", "搜索学生"),
    "guardian.search": pgettext_lazy("act", "搜索监护人"),
    "staff.search": pgettext_lazy("act", "搜索教职工"),
    "school_year.save": pgettext_lazy("act", "设置学年与学期"),
    "second_factor.codes": pgettext_lazy("act", "生成备用码"),
    "second_factor.enrolled": pgettext_lazy("act", "绑定动态验证码"),
    "second_factor.failed": pgettext_lazy("act", "动态验证码不对"),
    "second_factor.verified": pgettext_lazy("act", "通过动态验证码"),
    "session.ended": pgettext_lazy("act", "结束一处登录"),
    "session.ended_others": pgettext_lazy("act", "结束其他登录"),
    "sign_in": pgettext_lazy("act", "登录"),
    "sign_in.failed": pgettext_lazy("act", "登录失败"),
    "sign_in.locked": pgettext_lazy("act", "因多次失败锁定"),
    "sign_in.unlinked": pgettext_lazy("act", "没有对应账号的登录"),
    "sign_in.unlocked": pgettext_lazy("act", "解除锁定"),
    "sign_out": pgettext_lazy("act", "退出"),
    "site.close": pgettext_lazy("act", "撤销单位"),
    "site.create": pgettext_lazy("act", "新建学校"),
    "site.edit": pgettext_lazy("act", "修改学校信息"),
    "site.move": pgettext_lazy("act", "调整所属镇街"),
    "site.succeed": pgettext_lazy("act", "合并、分设或更名"),
    "snapshot.export": pgettext_lazy("act", "导出快照数值"),
    "snapshot.made": pgettext_lazy("act", "生成数据快照"),
    "snapshot.order": pgettext_lazy("act", "要求生成数据快照"),
}


def in_words(entry: Entry) -> str:
    """What was done, in the reader's language; the action's own name when it has no words."""
    if entry.action in ACTIONS:
        return str(ACTIONS[entry.action])
    kind, _dot, verb = entry.action.partition(".")
    flow = FLOWS.get(kind)
    if flow is not None:
        labels = {step.key: step.label for step in (flow.opening, *flow.steps)}
        labels["urge"] = pgettext_lazy("act", "催办")
        if verb in labels:
            return f"{flow.label} · {labels[verb]}"
    return looking.in_words(entry)
