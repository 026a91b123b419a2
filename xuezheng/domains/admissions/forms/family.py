"""What a family is asked, one thing a page.  Names with `__` are parts of an address: `home__road`."""

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from xuezheng.domains.admissions.answers import numbers
from xuezheng.domains.admissions.models import Application, Check, Intake, Season
from xuezheng.domains.admissions.rules.ages import Level, of_age
from xuezheng.kernel.ui.forms import DateInput, NumberInput
from xuezheng.registry.codes import CITIZEN_ID, citizen_birth, citizen_id_problem
from xuezheng.registry.models import Community, Guardianship
from xuezheng.registry.models.people import IdKind, Sex
from xuezheng.registry.names import name_problem

YES_NO = [("yes", gettext_lazy("是")), ("no", gettext_lazy("否"))]
NOT_CITIZEN = "|".join(kind for kind in IdKind.values if kind != CITIZEN_ID)
ADDRESS = ("community", "road", "number", "suffix", "building", "room")
MOST_CHOICES = 5


def _card(title: str, hint: str) -> SafeString:
    return format_html("<strong>{}</strong><span class='choice-hint'>{}</span>", title, hint)


def _number(value: str) -> str:
    return value.strip().upper()


def _citizen(value: str) -> str:
    number = _number(value)
    if number and citizen_id_problem(number):
        raise ValidationError(_("证件号码不正确，请对照证件核对18位号码。"))
    return number


def communities() -> list[tuple[str, Any]]:
    """Communities of the district by town, for a select (one query)."""
    groups: dict[str, list[tuple[str, str]]] = {}
    for row in Community.objects.select_related("town").order_by("town__order", "code"):
        groups.setdefault(str(row.town), []).append((row.code, row.name))
    return [("", _("请选择")), *groups.items()]


class PageForm(forms.Form):
    """One page of a draft.  `when` shows a field for one choice only, `heading` stands above it."""

    WHEN: Mapping[str, str] = {}
    HEADINGS: Mapping[str, Any] = {}
    #: Fields that are asked for when they are shown: not marked as optional, and checked by `need`.
    NEEDED: tuple[str, ...] = ()
    use_required_attribute = False

    def __init__(self, *args: Any, given: Mapping[str, Any], season: Season, **kwargs: Any):
        self.given, self.season = given, season
        kwargs.setdefault("initial", self.initial_from(given))
        super().__init__(*args, **kwargs)
        self.prepare()
        for name, field in self.fields.items():
            field.when = self.WHEN.get(name, "")
            field.heading = self.HEADINGS.get(name, "")
            field.required = field.required or name in self.NEEDED

    def full_clean(self) -> None:
        """Fields that a choice may hide are no fault of the field alone."""
        needed = [self.fields[name] for name in self.NEEDED if name in self.fields]
        for field in needed:
            field.required = False
        super().full_clean()
        for field in needed:
            field.required = True

    def prepare(self) -> None:
        """Choices that depend on the season, and fields that a register has answered."""

    def initial_from(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """The draft's answers as this form's fields."""
        made = {}
        for name in self.base_fields:
            outer, _sep, inner = name.partition("__")
            value = given.get(outer)
            made[name] = value.get(inner) if inner and isinstance(value, Mapping) else value
        return made

    def values(self, names: Iterable[str] | None = None) -> dict[str, Any]:
        """Answers to keep, of the fields (default all) that hold no error; days as ISO text."""
        wanted = self.fields if names is None else names
        return {
            name.replace("__", "."): _plain(self.cleaned_data[name])
            for name in wanted
            if name in self.fields and name in self.cleaned_data
        }

    def as_stored(self) -> "PageForm":
        """The same page, bound to what the draft holds: valid when nothing is missing."""
        data = {}
        for name, value in self.initial.items():
            data[name] = value.isoformat() if isinstance(value, dt.date) else value
        given = {k: v for k, v in data.items() if v not in (None, False)}
        return type(self)(given, given=self.given, season=self.season)

    def is_shown(self, name: str) -> bool:
        """Whether a field that depends on a choice is asked for."""
        field, _sep, wanted = self.WHEN.get(name, "").partition("=")
        value = self.cleaned_data.get(field)
        return not field or ("on" if value is True else value) in wanted.split("|")

    def need(self, *names: str) -> None:
        """Fields that must be filled in when they are shown."""
        for name in names:
            shown = name in self.fields and self.is_shown(name)
            if shown and not self.cleaned_data.get(name) and name not in self.errors:
                self.add_error(name, _("请填写。"))


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, dt.date) else value


class ChildForm(PageForm):
    child_name = forms.CharField(label=gettext_lazy("孩子姓名"), max_length=60)
    id_kind = forms.ChoiceField(label=gettext_lazy("证件类型"), choices=IdKind)
    id_number = forms.CharField(label=gettext_lazy("证件号码"), max_length=30)
    born_on = forms.DateField(label=gettext_lazy("出生日期"), required=False, widget=DateInput)
    sex = forms.ChoiceField(label=gettext_lazy("性别"), required=False, choices=Sex)
    WHEN = {"born_on": f"id_kind={NOT_CITIZEN}", "sex": f"id_kind={NOT_CITIZEN}"}
    NEEDED = ("born_on", "sex")

    def prepare(self) -> None:
        """Numbers are typed on the keys for numbers and letters, and kept by no browser."""
        self.fields["id_number"].widget.attrs |= {"autocomplete": "off"}
        self.fields["child_name"].widget.attrs |= {"autocomplete": "off"}
        self.initial["id_kind"] = self.initial.get("id_kind") or CITIZEN_ID

    def clean_child_name(self) -> str:
        """A name as people have them."""
        name = self.cleaned_data["child_name"]
        if name_problem(name):
            raise ValidationError(_("请照证件上的姓名填写。"))
        return name

    def clean_id_number(self) -> str:
        """A citizen number must be one."""
        if self.cleaned_data.get("id_kind") == CITIZEN_ID:
            return _citizen(self.cleaned_data["id_number"])
        return _number(self.cleaned_data["id_number"])

    def clean(self) -> dict[str, Any]:
        """The child must be of age for the season."""
        data = super().clean()
        self.need("born_on", "sex")
        born = data.get("born_on")
        if data.get("id_kind") == CITIZEN_ID and data.get("id_number"):
            born = citizen_birth(data["id_number"])
        if born and not of_age(Level(self.season.level), self.season.year, born):
            key = "id_number" if data.get("id_kind") == CITIZEN_ID else "born_on"
            self.add_error(key, _("孩子到今年8月31日还没到入学年龄，明年再登记。"))
        return data


class GuardianForm(PageForm):
    guardian_name = forms.CharField(label=gettext_lazy("您的姓名"), max_length=60)
    guardian_id = forms.CharField(label=gettext_lazy("您的证件号码"), max_length=30)
    relation = forms.ChoiceField(
        label=gettext_lazy("您是孩子的"), choices=[("", "----"), *Guardianship.Relation.choices]
    )
    phone = forms.RegexField(
        r"^1\d{10}$",
        label=gettext_lazy("手机号码"),
        help_text=gettext_lazy("办理进度发到这个号码。"),
        error_messages={"invalid": gettext_lazy("请填写 11 位手机号码。")},
    )
    second_name = forms.CharField(
        label=gettext_lazy("另一位监护人姓名"), max_length=60, required=False
    )
    second_phone = forms.RegexField(
        r"^1\d{10}$",
        label=gettext_lazy("另一位监护人手机"),
        required=False,
        help_text=gettext_lazy("对方用这个号码登录，监护关系确认后可以看到办理进度。"),
        error_messages={"invalid": gettext_lazy("请填写 11 位手机号码。")},
    )
    second_relation = forms.ChoiceField(
        label=gettext_lazy("另一位监护人是孩子的"),
        required=False,
        choices=[("", "----"), *Guardianship.Relation.choices],
    )
    HEADINGS = {"second_name": gettext_lazy("另一位监护人")}

    def prepare(self) -> None:
        """Telephone numbers are typed on the number keys."""
        for name in ("phone", "second_phone"):
            self.fields[name].widget.attrs |= {"inputmode": "tel"}
        self.fields["guardian_id"].widget.attrs |= {"autocomplete": "off"}

    def clean_guardian_id(self) -> str:
        """A number of 18 places must be a citizen number; passports and others are taken as they are."""
        number = _number(self.cleaned_data["guardian_id"])
        return _citizen(number) if len(number) == 18 else number


class AddressForm(PageForm):
    """Fields of one address; `need_address` asks for those without which no area is found."""

    def add_address(self, key: str, when: str) -> None:
        """Add `key__community`, `key__road` and so on, shown when the choice is made."""
        texts = {
            "road": _("道路或自然村"),
            "number": _("门牌号"),
            "suffix": _("门牌附号"),
            "building": _("幢"),
            "room": _("室"),
        }
        stored = self.given.get(key) or {}
        self.fields[f"{key}__community"] = forms.ChoiceField(
            label=_("社区（村）"), choices=communities(), required=False
        )
        for part, label in texts.items():
            made: forms.Field = forms.CharField(
                label=label, required=False, max_length=40 if part == "road" else 12
            )
            if part == "number":
                made = forms.IntegerField(
                    label=label, required=False, min_value=1, max_value=99_999, widget=NumberInput
                )
            self.fields[f"{key}__{part}"] = made
        for part in ADDRESS:
            self.initial[f"{key}__{part}"] = stored.get(part)
            self.WHEN = {**self.WHEN, f"{key}__{part}": when}


class RegisterForm(AddressForm):
    register_here = forms.ChoiceField(
        label=gettext_lazy("孩子的户口在本区吗？"), choices=YES_NO, widget=forms.RadioSelect
    )
    register_date = forms.DateField(
        label=gettext_lazy("落户日期"),
        required=False,
        widget=DateInput,
        help_text=gettext_lazy("户口簿孩子那一页的“何时由何地迁来本址”；出生就落在这里的不填。"),
    )
    registered_since_birth = forms.BooleanField(
        label=gettext_lazy("出生就落在这里"), required=False
    )
    WHEN = {"register_date": "register_here=yes", "registered_since_birth": "register_here=yes"}
    NEEDED = ("register__community", "register__road")

    def prepare(self) -> None:
        """The address comes between the question and the day; nothing that the police has answered."""
        check = self.given.get("checks", {}).get(Check.Register.POLICE, {})
        if check.get("state") == Check.State.CONFIRMED:
            self.fields.clear()
            return
        self.add_address("register", "register_here=yes")
        last = ("register_date", "registered_since_birth")
        self.order_fields([name for name in self.fields if name not in last] + list(last))

    def clean(self) -> dict[str, Any]:
        """Community and road of who is registered here."""
        data = super().clean()
        if not self.fields:
            return data
        self.need("register__community", "register__road")
        if data.get("register_here") == "yes" and not data.get("registered_since_birth"):
            self.need("register_date")
        return data


class HomeForm(AddressForm):
    housing = forms.ChoiceField(label=gettext_lazy("住房类型"), widget=forms.RadioSelect)
    grandparent_name = forms.CharField(
        label=gettext_lazy("房产人（祖辈）姓名"), max_length=60, required=False
    )
    grandparent_id = forms.CharField(
        label=gettext_lazy("房产人（祖辈）证件号码"), max_length=30, required=False
    )
    grandparents_agreed = forms.BooleanField(
        label=gettext_lazy("房产人本人同意查询其房产登记，只用于孩子这次入学"), required=False
    )
    title = forms.ChoiceField(
        label=gettext_lazy("房产凭证"),
        required=False,
        choices=[
            ("", "----"),
            *(
                choice
                for choice in Application.Title.choices
                if choice[0] in ("deed", "contract", "demolition", "self_built", "estate")
            ),
        ],
    )
    title_date = forms.DateField(label=gettext_lazy("凭证日期"), required=False, widget=DateInput)
    share = forms.IntegerField(
        label=gettext_lazy("家庭份额（%）"),
        required=False,
        min_value=0,
        max_value=100,
        widget=NumberInput,
        help_text=gettext_lazy("父母和孩子（或祖辈）合计占多少，全部是自己的填100。"),
    )
    parents_own_no_home = forms.BooleanField(
        label=gettext_lazy("父母名下在本区没有住房"), required=False
    )
    home_same = forms.ChoiceField(
        label=gettext_lazy("孩子的户口也在这里吗？"),
        choices=[("yes", gettext_lazy("在")), ("no", gettext_lazy("不在"))],
        required=False,
        widget=forms.RadioSelect,
    )
    WHEN = {
        "grandparent_name": "housing=grandparent",
        "grandparent_id": "housing=grandparent",
        "grandparents_agreed": "housing=grandparent",
        "title": "housing=own|grandparent",
        "title_date": "housing=own|grandparent",
        "share": "housing=own|grandparent",
        "parents_own_no_home": "housing=grandparent|rental|public_rental|none",
    }
    NEEDED = (
        "home_same", "title", "grandparent_name", "grandparent_id", "home__community", "home__road",
    )  # fmt: skip
    #: What the register of property answers, and need not be typed.
    ANSWERED = ("title", "title_date", "share")

    def prepare(self) -> None:
        """Cards with a line of help; nothing is asked that the register of property has answered."""
        self.fields["housing"].choices = [
            ("own", _card(_("父母或孩子名下住房"), _("不动产登记在父母或孩子名下"))),
            ("grandparent", _card(_("祖辈名下住房"), _("孩子户口与祖辈在同一本上"))),
            ("rental", _card(_("租房（已备案）"), _("已办理房屋租赁登记备案"))),
            ("public_rental", _card(_("公租房、人才房"), "")),
            ("none", _card(_("以上都不是"), _("由学校联系您，说明需要的材料"))),
        ]
        check = self.given.get("checks", {}).get(Check.Register.PROPERTY, {})
        confirmed = check.get("state") == Check.State.CONFIRMED
        facts = check.get("facts", {}) if confirmed else {}
        if confirmed:
            for name in self.ANSWERED:
                del self.fields[name]
        elsewhere = "housing=rental|public_rental|none" if facts.get("home") else ""
        if self.given.get("register_here") == "no":
            del self.fields["home_same"]
            self.add_address("home", elsewhere)
        else:
            self.WHEN = {**self.WHEN, "home_same": elsewhere}
            self.add_address("home", "home_same=no")

    def clean_grandparent_id(self) -> str:
        """A citizen number, if any."""
        return _citizen(self.cleaned_data["grandparent_id"])

    def clean(self) -> dict[str, Any]:
        """The address, the paper that shows the home, and the grandparent's own consent."""
        data = super().clean()
        self.need("home_same", "title", "grandparent_name", "grandparent_id")
        if "home_same" not in self.fields or self.is_shown("home_same"):
            self.need("home__community", "home__road")
        agreed = data.get("grandparents_agreed")
        if data.get("housing") == "grandparent" and not agreed:
            self.add_error("grandparents_agreed", _("查询祖辈房产须祖辈本人同意。"))
        return data

    def values(self, names: Iterable[str] | None = None) -> dict[str, Any]:
        """A share left empty is none."""
        made = super().values(names)
        if made.get("share", 0) is None:
            made["share"] = 0
        return made


class MoreForm(PageForm):
    residence_permit = forms.BooleanField(
        label=gettext_lazy("持有本区居住证（非本区户籍填）"), required=False
    )
    permit_date = forms.DateField(
        label=gettext_lazy("居住证签发日"), required=False, widget=DateInput
    )
    sibling_id = forms.CharField(
        label=gettext_lazy("在读哥哥姐姐的证件号码"),
        max_length=30,
        required=False,
        help_text=gettext_lazy("希望和哥哥姐姐同校的填写，由学校从学籍核对。"),
    )
    twin = forms.BooleanField(
        label=gettext_lazy("有双胞胎（多胞胎）兄弟姐妹今年一起登记"), required=False
    )

    WHEN = {"permit_date": "residence_permit=on"}

    def prepare(self) -> None:
        """When putting right, the wish of twins is asked beside this form, whoever said so before."""
        if "tied" in self.given:
            del self.fields["twin"]

    def clean_sibling_id(self) -> str:
        """As papers write it."""
        return _number(self.cleaned_data["sibling_id"])


class TwinsForm(PageForm):
    """One school, one class, or each for itself.  The numbers of others are needed for one school."""

    twin_wish = forms.ChoiceField(
        label=gettext_lazy("希望怎样安排？"),
        choices=Application.TwinWish.choices,
        widget=forms.RadioSelect,
    )
    together = forms.CharField(
        label=gettext_lazy("其他孩子的证件号码"),
        max_length=120,
        required=False,
        help_text=gettext_lazy(
            "几个孩子各登记一次，每次都填其他孩子的号码；三胞胎填两个，用空格隔开。"
        ),
    )
    WHEN = {"together": "twin_wish=class|split|school"}
    NEEDED = ("together",)

    def prepare(self) -> None:
        """Known brothers and sisters are filled in.  A tie that was made stands without its numbers."""
        self.fields["together"].widget.attrs |= {"autocomplete": "off"}
        if not self.initial.get("together"):
            self.initial["together"] = " ".join(self.given.get("known_twins", ()))
        if "tied" in self.given:
            self.NEEDED = ()
            self.fields["twin_wish"].required = False
            if self.given["tied"]:
                self.fields["together"].help_text = _("已登记同校，不变就不用再填。")

    def clean_together(self) -> str:
        """Numbers of others."""
        found = numbers(self.cleaned_data["together"])
        if self.given.get("id_number") in found:
            raise ValidationError(_("请填写另一个孩子的证件号码。"))
        return " ".join(found)

    def clean(self) -> dict[str, Any]:
        """Whoever wants one school says whose."""
        data = super().clean()
        self.need(*self.NEEDED)
        return data


class ChoicesForm(PageForm):
    """Schools to choose, best first, in as many selects as there are schools (five at most)."""

    def prepare(self) -> None:
        """One select for each place on the list."""
        rows = Intake.objects.filter(season=self.season, mode=Intake.Mode.CHOICE)
        schools = [(row.id, str(row.school)) for row in rows.select_related("school")]
        chosen = list(self.given.get("intakes") or [])
        for rank in range(1, min(MOST_CHOICES, len(schools)) + 1):
            name = f"choice_{rank}"
            self.fields[name] = forms.TypedChoiceField(
                label=_("第%(rank)d志愿") % {"rank": rank},
                choices=[("", _("不填")), *schools],
                coerce=int,
                empty_value=None,
                required=False,
            )
            self.initial[name] = chosen[rank - 1] if rank <= len(chosen) else None

    def clean(self) -> dict[str, Any]:
        """No school twice."""
        data = super().clean()
        chosen = [value for value in data.values() if value]
        if len(set(chosen)) < len(chosen):
            raise ValidationError(_("同一所学校只能填一次。"))
        return data

    def values(self, names: Iterable[str] | None = None) -> dict[str, Any]:
        """The whole list, whichever place changed; nothing while it names a school twice."""
        if self.errors:
            return {}
        return {"intakes": [value for value in self.cleaned_data.values() if value]}


FORMS: dict[str, type[PageForm]] = {
    "child": ChildForm,
    "guardian": GuardianForm,
    "register": RegisterForm,
    "home": HomeForm,
    "more": MoreForm,
    "twins": TwinsForm,
    "choices": ChoicesForm,
}
