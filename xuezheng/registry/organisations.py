"""Kinds of organisation in a district's education."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class OrganisationKind(models.TextChoices):
    """What `Organisation.kind` may hold."""

    PROVINCE = "province", _("省级教育部门")
    DISTRICT = "district", _("区县")
    BUREAU = "bureau", _("教育局")
    OFFICE = "office", _("局内科室")
    TOWN = "town", _("镇街")
    PRIMARY = "primary", _("小学")
    JUNIOR = "junior", _("初中")
    NINE_YEAR = "nine_year", _("九年一贯制学校")
    SENIOR = "senior", _("普通高中")
    VOCATIONAL = "vocational", _("中等职业学校")
    SPECIAL = "special", _("特殊教育学校")
    KINDERGARTEN = "kindergarten", _("幼儿园")
    ADULT = "adult", _("成人（社区）学校")
    TRAINING = "training", _("校外培训机构")
    OUTSIDE = "outside", _("局外单位")


SCHOOL_KINDS = (
    OrganisationKind.PRIMARY,
    OrganisationKind.JUNIOR,
    OrganisationKind.NINE_YEAR,
    OrganisationKind.SENIOR,
    OrganisationKind.VOCATIONAL,
    OrganisationKind.SPECIAL,
)
#: Places where pupils, children or learners are: whoever runs one answers for its safety.
SITE_KINDS = (
    *SCHOOL_KINDS,
    OrganisationKind.KINDERGARTEN,
    OrganisationKind.ADULT,
    OrganisationKind.TRAINING,
)
