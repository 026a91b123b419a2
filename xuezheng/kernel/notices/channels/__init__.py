"""Channels that carry a text outside: SMS, mail, work chat.  One interface; a file stands in for each.

`settings.NOTICE_CHANNELS` names those in use with their options; an address that is no address of a
server is a file, into which the texts are written.
"""

from xuezheng.kernel.notices.channels.base import Channel, ChannelFailed, Message, configured

__all__ = ["Channel", "ChannelFailed", "Message", "configured"]
