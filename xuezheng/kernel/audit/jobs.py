"""Sealing every minute."""

from procrastinate.contrib.django import app

from xuezheng.kernel.audit.seal import seal_next


@app.periodic(cron="* * * * *")
@app.task(name="audit.seal", queueing_lock="audit.seal")
def seal(timestamp: int) -> None:
    """Seal until nothing finished is left."""
    while seal_next():
        continue
