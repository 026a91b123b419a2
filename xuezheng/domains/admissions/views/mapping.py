"""The map of areas as inline SVG: a tile for each community, coloured by its areas.

No positions of communities are on record, so a town is a row of tiles, not a surveyed plan.  The table
beside it says the same in words.
"""

from collections.abc import Sequence

from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from xuezheng.domains.admissions.models import Season
from xuezheng.domains.admissions.services.zoning import Tile

WIDE, HIGH, GAP, ACROSS = 104, 56, 6, 6
#: Colours of the style sheet; the code on the tile tells apart what has one colour.
COLOURS = 12
#: Most areas that are shown side by side in one community.
MOST = 4


def zone_map_of(tiles: Sequence[Tile], season: Season) -> SafeString:
    """The tiles of one town."""
    rows = -(-len(tiles) // ACROSS)
    across = min(len(tiles), ACROSS)
    drawn = format_html_join(
        "", "{}", ((_tile(at, tile, season),) for at, tile in enumerate(tiles))
    )
    return format_html(
        '<svg class="zone-map" role="img" aria-label="{}" viewBox="0 0 {} {}" width="{}">{}</svg>',
        _("%d 个社区（村）的服务区") % len(tiles),
        across * (WIDE + GAP) - GAP,
        max(1, rows) * (HIGH + GAP) - GAP,
        across * (WIDE + GAP) - GAP,
        drawn,
    )


def _tile(at: int, tile: Tile, season: Season) -> SafeString:
    left, top = (at % ACROSS) * (WIDE + GAP), (at // ACROSS) * (HIGH + GAP)
    shown = tile.areas[:MOST]
    part = WIDE / max(1, len(shown))
    strips = format_html_join(
        "",
        '<rect class="zone-fill zone-fill--{}" x="{}" y="{}" width="{}" height="{}"/>',
        (
            (order % COLOURS, round(left + n * part, 1), top, round(part, 1), HIGH)
            for n, (order, _zone) in enumerate(shown)
        ),
    )
    if not shown:
        strips = format_html(
            '<rect class="zone-fill zone-fill--none" x="{}" y="{}" width="{}" height="{}"/>',
            left, top, WIDE, HIGH,
        )  # fmt: skip
    codes = "+".join(zone.code for _order, zone in shown) or _("未划")
    names = "、".join(zone.name for _order, zone in tile.areas) or _("没有服务区")
    body = format_html(
        '<title>{}：{}</title>{}<text class="zone-name" x="{}" y="{}" text-anchor="middle">{}</text>'
        '<text class="zone-code" x="{}" y="{}" text-anchor="middle">{}</text>',
        tile.community.name, names, strips,
        left + WIDE / 2, top + 24, tile.community.name[:7],
        left + WIDE / 2, top + 43, codes[:16],
    )  # fmt: skip
    if len(tile.areas) == 1:
        address = reverse("zone_edit", args=[season.pk, tile.areas[0][1].pk])
        return format_html('<a href="{}">{}</a>', address, body)
    return format_html("<g>{}</g>", body)
