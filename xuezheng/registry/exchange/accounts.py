"""Accounts with a post each, opened in bulk; one-time passwords are handed out once."""

from collections.abc import Hashable, Iterable, Iterator, Sequence
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from xuezheng.kernel.access.models import Organisation, Post, User
from xuezheng.kernel.access.permissions import roles
from xuezheng.kernel.exchange.bulk import referring
from xuezheng.kernel.exchange.staging import CHUNK, chunks
from xuezheng.kernel.exchange.table import (
    Existing,
    Field,
    Handout,
    Keeper,
    Kind,
    Row,
    Run,
    Table,
)
from xuezheng.registry.access import Permission
from xuezheng.registry.exchange import common
from xuezheng.registry.organisations import OrganisationKind
from xuezheng.registry.services.accounts import (
    USERNAME,
    NewAccount,
    assignable,
    create_accounts,
    grant_post,
    reset_password,
)

REASON = gettext_lazy("批量导入账号")


def _username(text: str) -> tuple[str, str] | None:
    if USERNAME.fullmatch(text):
        return None
    return (
        _("用户名须为 3 至 64 位字母、数字、点、横线或下划线，以字母或数字开头。"),
        _("改写用户名。"),
    )


class AccountKeeper(Keeper):
    """Opens accounts through services/accounts.py.  A file adds accounts and posts; it ends none."""

    def resolve(self, rows: Sequence[Row], run: Run) -> None:
        """The unit within reach."""
        if "assignable" not in run.memo:
            run.memo["assignable"] = set(assignable(run.by).values_list("id", flat=True))
        kinds = [kind.value for kind in OrganisationKind]
        for row in rows:
            row.links = {}
            values = row.values
            common.settle_names(row, run)
            if not values.get("username"):
                row.wrong("username", _("必填，没有内容。"), _("补上。"))
            unit = common.find_unit(values.get("school", ""), run, kinds)
            if unit is None or unit.id not in run.memo["assignable"]:
                row.wrong(
                    "school",
                    _("没有叫这个名称的单位。"),
                    _("写单位全称、简称或代码。"),
                    unmatched=values.get("school", ""),
                )
            else:
                values["school"], row.links["site"] = unit.code, unit
            if not row.problems:
                row.key = values["username"].lower()

    def lookup(self, rows: Sequence[Row], run: Run, *, lock: bool) -> dict[Hashable, Existing]:
        """Accounts by user name; the post compared is that of the row's unit and role, if held."""
        names = Q()
        for row in rows:
            names |= Q(username__iexact=row.key)
        base = User.objects.filter(names) if rows else User.objects.none()
        if lock:
            base = base.select_for_update()
        users = {user.username.lower(): user for user in base}
        posts = self._posts(users.values())
        stored = {}
        for row in rows:
            user = users.get(row.key)
            if user is None:
                continue
            if row.values.get("name") and row.values["name"] != user.name:
                row.wrong("username", _("这个用户名是别人的。"), _("换一个用户名。"))
                continue
            held = posts.get(user.pk, [])
            wanted = (row.values.get("school"), row.values.get("role"))
            same = [post for post in held if (post.organisation.code, post.role) == wanted]
            stored[row.key] = Existing(self._values(user, (same or held or [None])[0]), user)
        return stored

    @staticmethod
    def _posts(users: Iterable[User]) -> dict[int, list[Post]]:
        found: dict[int, list[Post]] = {}
        rows = Post.objects.filter(user__in=users, valid_to__isnull=True)
        for post in rows.select_related("organisation").order_by("id"):
            found.setdefault(post.user_id, []).append(post)
        return found

    @staticmethod
    def _values(user: User, post: Post | None) -> dict[str, Any]:
        return {
            "username": user.username,
            "name": user.name,
            "school": post.organisation.code if post else "",
            "role": post.role if post else "",
            "title": post.title if post else "",
        }

    def export(self, rows: Any, run: Run) -> Iterator[dict[str, Any]]:
        """One line for each running post of an account."""
        for chunk in chunks(rows.iterator(chunk_size=CHUNK)):
            posts = self._posts(chunk)
            for user in chunk:
                for post in posts.get(user.pk) or [None]:
                    yield self._values(user, post)

    def create(self, rows: Sequence[Row], run: Run) -> None:
        """Accounts, each with its post; the passwords are those of the handout."""
        accounts = [
            NewAccount(
                row.values["username"],
                row.values["name"],
                ((row.links["site"].id, row.values["role"], row.values.get("title", "")),),
            )
            for row in rows
        ]
        if accounts:
            create_accounts(accounts, by=run.by, reason=str(REASON))

    def update(self, rows: Sequence[tuple[Row, Existing]], run: Run) -> None:
        """A further post; a changed title is written onto the post."""
        for row, stored in rows:
            site, role = row.links["site"], row.values.get("role") or stored.values["role"]
            held = Post.objects.filter(
                user=stored.row, organisation=site, role=role, valid_to__isnull=True
            )
            if {"school", "role"} & set(row.old):
                if run.undoing:
                    continue
                grant_post(
                    stored.row,
                    organisation_id=site.id,
                    role=role,
                    title=row.values.get("title", ""),
                    valid_from=common.today(),
                    valid_to=None,
                    by=run.by,
                    reason=str(REASON),
                )
            else:
                held.update(title=row.values.get("title", ""))

    def remove(self, rows: Sequence[tuple[Row, Existing]], run: Run) -> None:
        """Accounts that nobody has used yet."""
        keys = [stored.row.pk for _row, stored in rows]
        reasons = referring(User, keys, apart_from=("posts",))
        for row, stored in rows:
            if stored.row.last_login:
                row.left = _("已经登录过。")
            elif reason := reasons.get(stored.row.pk):
                row.left = _("已有%s引用这条记录。") % reason
        gone = [stored.row.pk for row, stored in rows if not row.left]
        Post.objects.filter(user__in=gone).delete()
        User.objects.filter(pk__in=gone).delete()


def one_time_passwords(
    rows: Sequence[Row], run: Run
) -> tuple[Sequence[Any], Iterable[Sequence[Any]]]:
    """A new one-time password for every account of the rows that has never signed in."""
    names = [row.values["username"] for row in rows]
    users = User.objects.filter(username__in=names, last_login__isnull=True, is_active=True)
    units = {
        unit.code: str(unit)
        for unit in Organisation.objects.filter(code__in={row.values["school"] for row in rows})
    }
    school = {row.values["username"]: units.get(row.values["school"], "") for row in rows}
    lines = []
    for user in users.order_by("username"):
        password = reset_password(user, by=run.by, reason=str(REASON))
        lines.append((school[user.username], user.name, user.username, password))
    headings = (_("单位"), _("姓名"), _("用户名"), _("一次性密码"))
    return headings, sorted(lines)


def _units(by: Any) -> dict[str, Organisation]:
    return {unit.code: unit for unit in assignable(by)}


ACCOUNTS = Table(
    key="accounts",
    title=gettext_lazy("账号名册"),
    version="2026.1",
    fields=common.dressed(
        "accounts",
        (
            Field(
                "username",
                gettext_lazy("用户名"),
                Kind.TEXT,
                required=True,
                max_length=64,
                width=20,
                check=_username,
            ),
            Field("name", gettext_lazy("姓名"), required=True, max_length=60, width=12),
            Field(
                "school",
                gettext_lazy("单位"),
                Kind.CHOICE,
                required=True,
                choices=_units,
                open=True,
                width=26,
                max_length=100,
            ),
            Field(
                "role",
                gettext_lazy("岗位"),
                Kind.CHOICE,
                required=True,
                choices={key: role.label for key, role in roles().items()},
                width=18,
            ),
            Field("title", gettext_lazy("职务"), max_length=60, width=18),
        ),
    ),
    permission=Permission.ACCOUNTS,
    keeper=AccountKeeper(),
    identity=("username",),
    instructions=(
        gettext_lazy("一行一个账号。写入后下载一次性密码表，分发给本人；首次登录要自己改密码。"),
    ),
    match_url="",
    handout=Handout(
        gettext_lazy("下载一次性密码表"),
        gettext_lazy("给这一批里还没有登录过的账号各发一个新的一次性密码；以前发的随即作废。"),
        one_time_passwords,
    ),
)
