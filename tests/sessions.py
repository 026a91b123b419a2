"""The program's sessions; one that `client.force_login` made counts as wholly signed in."""

import time
from typing import Any

from django.contrib.auth import SESSION_KEY

from xuezheng.kernel.access.signin import sessions


class SessionStore(sessions.SessionStore):
    """Adds the marks that the sign-in page would have set.  A real sign-in sets its own first."""

    def save(self, must_create: bool = False) -> Any:
        if SESSION_KEY in self and sessions.SIGNED_IN not in self:
            now = int(time.time())
            self.update(
                {
                    sessions.SIGNED_IN: now,
                    sessions.SEEN: now,
                    sessions.IDLE: 1800,
                    sessions.ABSOLUTE: 43_200,
                    sessions.FACTOR: "verified",
                }
            )
        return super().save(must_create)
