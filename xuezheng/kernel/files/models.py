"""What is known of a stored file."""

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _

from xuezheng.kernel.access.models import Organisation, User


class StoredFile(models.Model):
    """A file kept under its SHA-256.  The row is public to nobody: whoever attaches it decides."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    sha256 = models.CharField(max_length=64, db_index=True)
    size = models.PositiveBigIntegerField(_("字节数"))
    media_type = models.CharField(_("类型"), max_length=100)
    name = models.CharField(_("文件名"), max_length=200)
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    uploaded_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    uploaded_at = models.DateTimeField(_("上传时间"), auto_now_add=True)

    class Meta:
        verbose_name = _("文件")
        ordering = ["uploaded_at"]

    def __str__(self) -> str:
        return self.name

    @property
    def is_picture(self) -> bool:
        """Whether a browser can show it as a picture."""
        return self.media_type.startswith("image/")
