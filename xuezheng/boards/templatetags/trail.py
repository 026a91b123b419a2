"""Words of the trail in templates."""

from django import template

from xuezheng.boards.trail_words import in_words

register = template.Library()
register.filter("in_words", in_words)
