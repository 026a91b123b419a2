"""`xuezheng client`: access of other programs to the machine interface."""

import argparse
import sys

from xuezheng.api.models import Client, Scope, add_client, revoke_client
from xuezheng.kernel.access.actors import JobActor

#: Who is written into the trail: whoever may run commands on the host.
BY = "command line"


def run_client(options: argparse.Namespace) -> int:
    """List, add or revoke a client; the token of a new one is printed once."""
    by = JobActor(BY)
    if options.action == "add":
        try:
            client, token = add_client(
                name=options.name, scopes=options.scope or Scope.values, days=options.days, by=by
            )
        except ValueError as error:
            print(error, file=sys.stderr)
            return 2
        print(f"令牌（只显示这一次）/ token (shown once):  {token}")
        print(f"有效期至 / until {client.expires_on}: {', '.join(client.scopes)}")
        return 0
    if options.action == "revoke":
        gone = revoke_client(name=options.name, by=by)
        print("已停用 / revoked" if gone else "没有这个客户端 / no such client")
        return 0 if gone else 2
    for row in Client.objects.all():
        state = "停用 / revoked" if row.revoked_at else f"-> {row.expires_on}"
        print(f"{row.name:<20} {state}  {', '.join(row.scopes)}")
    return 0
