"""Permissions around the machine interface: who lets programs in, who may read its description."""

from enum import StrEnum

from xuezheng.registry import roles


class Permission(StrEnum):
    CLIENTS = "api.clients"
    DESCRIPTION = "api.description"


GRANTS = {
    roles.SECURITY_OFFICER: {*Permission},
    roles.OPERATOR: {Permission.DESCRIPTION},
}
