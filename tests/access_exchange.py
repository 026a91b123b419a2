"""The access matrix of imports and of the first month: who may what, on one and the same row."""

from collections.abc import Callable
from typing import Any

from tests.district import District
from xuezheng.registry.exchange import PUPILS
from xuezheng.registry.exchange.tests.files import number, send
from xuezheng.registry.models import SiteAlias

TABLES = ("exchange_batch", "exchange_part", "registry_sitealias", "registry_systemswitch")
#: Whoever imports something; a batch of school S1 is for those who import its pupils.
IMPORTERS = frozenset({"registrar", "sec1", "head1", "head2", "security"})
OF_S1 = frozenset({"registrar", "sec1", "head1"})
REGISTRAR = frozenset({"registrar"})


def exchange_world(district: District) -> dict[str, Any]:
    """Two batches of a school, each with a wrong row, and a matched name."""
    batches = [
        send(
            district,
            "sec1",
            PUPILS,
            ("姓名", "身份证件号"),
            [("童一", number(400 + at)), ("童二", "1")],
        )
        for at in range(2)
    ]
    alias = SiteAlias.objects.create(name="别名学校", organisation=district.orgs["S1"])
    return {"batch": batches[0].pk, "batch_two": batches[1].pk, "alias": alias.pk}


def exchange_addresses(ids: dict[str, Any], address: Callable) -> list:
    """The entries of the matrix."""
    batch, outside = (ids["batch"],), IMPORTERS - OF_S1
    return [
        address("batch_list", may=IMPORTERS),
        address("batch_upload", may=IMPORTERS),
        address("batch_template", ("pupils",), may=OF_S1 | {"head2"}),
        address("batch_detail", batch, OF_S1, outside),
        address("batch_progress", batch, OF_S1, outside),
        address("batch_wrong_rows", batch, OF_S1, outside),
        address("batch_compare", batch, OF_S1, outside, post=True),
        address("batch_confirm", batch, OF_S1, outside, data={"mode": "valid"}, post=True),
        address("batch_undo", batch, OF_S1, outside, post=True),
        address("batch_give_up", (ids["batch_two"],), OF_S1, outside, post=True),
        address("opening", may=REGISTRAR),
        address("opening_match", may=REGISTRAR),
        address("opening_switches", may=REGISTRAR),
        address("opening_unmatch", (ids["alias"],), may=REGISTRAR, post=True),
    ]


#: Its answer to a POST is a workbook: see registry/exchange/tests/test_pages.py.
ELSEWHERE = {"batch_handout"}
