"""The importer of work plans: prose or a task table in, a structure with its places in the text out.

Pure: no Django, no database.  Reading order: model, reading (file formats), outline (headings),
numerals and targets (figures), units (who answers), commitments, kinds, tables, parse.

It keeps the wording and its place beside every field, and says what it is unsure of instead of
guessing.
"""

from xuezheng.domains.workplan.parsing.model import Plan, PlanError
from xuezheng.domains.workplan.parsing.parse import parse_file, parse_text

__all__ = ["Plan", "PlanError", "parse_file", "parse_text"]
