"""The database wrapper of `settings.DATABASES` (Django looks for it under this name)."""

import time

from django.db.backends.postgresql import base

#: A connection that answered so many seconds ago is taken for alive.
TRUSTED = 1.0


class DatabaseWrapper(base.DatabaseWrapper):
    """Asks a kept connection at most once a second, not before each request.

    In a rush that is one statement in fifteen.  After an error it is always asked, so that a server
    which comes back is met by the next request.
    """

    def __init__(self, *args: object, **kwargs: object):
        super().__init__(*args, **kwargs)
        self._answered = float("-inf")

    def is_usable(self) -> bool:
        """Whether the server answers, or did a moment ago."""
        if not self.errors_occurred and time.monotonic() - self._answered < TRUSTED:
            return True
        usable = super().is_usable()
        if usable:
            self._answered = time.monotonic()
        return usable
