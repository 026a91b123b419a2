"""Message catalogs: `messages.py compile | update | check`.

Chinese is the msgid, English the translation; each Django app has one catalog,
`<app>/locale/en/LC_MESSAGES/django.po`, for the Python files and templates under it.

compile  write the .mo beside each .po that is newer (Babel: a bare machine has no msgfmt)
update   put new messages into the catalogs, drop those that nothing uses, keep translations
check    fail unless every message of the code has an English text, with the same placeholders,
         and the same text wherever it occurs
"""

import io
import re
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from babel.messages import Catalog, Message
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.conf import settings
from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "xuezheng"
CATALOG = Path("locale/en/LC_MESSAGES/django.po")
#: No dates and no names in it: two branches that add a message must not collide there.
HEADER = rb"""msgid ""
msgstr ""
"Language: en\n"
"MIME-Version: 1.0\n"
"Content-Type: text/plain; charset=utf-8\n"
"Content-Transfer-Encoding: 8bit\n"
"Plural-Forms: nplurals=2; plural=(n != 1);\n"

"""
KEYWORDS = {
    **dict.fromkeys(("_", "gettext", "gettext_lazy", "gettext_noop"), None),
    **dict.fromkeys(("ngettext", "ngettext_lazy"), (1, 2)),
    **dict.fromkeys(("pgettext", "pgettext_lazy"), ((1, "c"), 2)),
    **dict.fromkeys(("npgettext", "npgettext_lazy"), ((1, "c"), 2, 3)),
}
PLACEHOLDER = re.compile(r"%\(\w+\)[sdf]|%[sdf]|\{\w*\}")

Key = tuple[str | None, str]


def sources() -> Iterator[Path]:
    """Python files and templates of the program, without tests and migrations."""
    for path in sorted(PACKAGE.rglob("*")):
        outside = {"tests", "migrations", "static"} & set(path.relative_to(PACKAGE).parts)
        if path.suffix in {".py", ".html", ".txt"} and not outside:
            yield path


def messages_of(path: Path) -> list[tuple[int, str | tuple[str, ...], str | None]]:
    """(line, message or its singular and plural, context) for each message of one file."""
    source = path.read_text(encoding="utf-8")
    if path.suffix != ".py":
        # Django turns a template into calls between filler, meant for a lenient reader.  Between
        # brackets Python's own reader does not mind the indentation of the filler.
        source = "(" + templatize(source) + "\n)"
    found = extract("python", io.BytesIO(source.encode()), keywords=KEYWORDS, comment_tags=[])
    return [(line, message, context) for line, message, _comments, context in found]


def app_of(path: Path) -> Path | None:
    """The innermost folder above a file that is a Django app."""
    return next((p for p in path.parents if p != ROOT and (p / "apps.py").exists()), None)


def extracted() -> dict[Path, Catalog]:
    """A fresh catalog of what the code says for each app that says anything.

    Exits with a message for text outside all apps, which Django would never look up.
    """
    catalogs: dict[Path, Catalog] = defaultdict(lambda: Catalog(locale="en", charset="utf-8"))
    homeless = []
    for path in sources():
        app = app_of(path)
        for line, message, context in messages_of(path):
            if app is None:
                homeless.append(f"{path.relative_to(ROOT)}:{line}")
            else:
                place = (path.relative_to(app).as_posix(), line)
                catalogs[app].add(message, locations=[place], context=context)
    if homeless:
        sys.exit("message outside every Django app (no apps.py above it): " + ", ".join(homeless))
    return dict(catalogs)


def stored(po: Path) -> Catalog:
    """The catalog kept in the repository, or an empty one."""
    if not po.exists():
        return Catalog(locale="en", charset="utf-8")
    with po.open("rb") as file:
        return read_po(file, locale="en", charset="utf-8")


def key_of(message: Message) -> Key:
    """Context and msgid (the singular of a plural message)."""
    msgid = message.id if isinstance(message.id, str) else message.id[0]
    return (message.context, msgid)


def texts(message: Message) -> tuple[str, ...]:
    """The translations of a message: one, or one for each plural form."""
    strings = (message.string,) if isinstance(message.string, str) else tuple(message.string)
    return strings or ("",)


def compile_catalogs() -> None:
    """Write each .mo that is missing or older than its .po."""
    for po in sorted(PACKAGE.rglob(str(CATALOG))):
        mo = po.with_suffix(".mo")
        if not mo.exists() or mo.stat().st_mtime < po.stat().st_mtime:
            with mo.open("wb") as file:
                write_mo(file, stored(po))


def update() -> None:
    """Bring every catalog up to what the code says; a catalog without messages goes."""
    fresh = extracted()
    for po in PACKAGE.rglob(str(CATALOG)):
        if po.parents[3] not in fresh:
            po.unlink()
    for app, template in fresh.items():
        po = app / CATALOG
        catalog = stored(po)
        catalog.update(template, no_fuzzy_matching=True)
        catalog.obsolete.clear()
        po.parent.mkdir(parents=True, exist_ok=True)
        body = io.BytesIO()
        # Files without lines: a moved line must not change the catalog.
        write_po(
            body, catalog, width=100, sort_by_file=True, include_lineno=False, omit_header=True
        )
        written = HEADER + body.getvalue()
        if not po.exists() or po.read_bytes() != written:
            po.write_bytes(written)
            print(f"updated {po.relative_to(ROOT)}")
    for problem in problems():
        print(problem)


def problems() -> list[str]:
    """What is wrong with the catalogs, one line each."""
    found = []
    english: dict[Key, dict[tuple[str, ...], Path]] = defaultdict(dict)
    fresh = extracted()
    for po in PACKAGE.rglob(str(CATALOG)):
        if po.parents[3] not in fresh:
            found.append(f"{po.relative_to(ROOT)}: nothing uses this catalog")
    for app, template in sorted(fresh.items()):
        po = app / CATALOG
        place = po.relative_to(ROOT)
        catalog = stored(po)
        wanted = {key_of(message) for message in template if message.id}
        kept = {key_of(message): message for message in catalog if message.id}
        found += [
            f"{place}: unused message {key[1]!r}" for key in sorted(kept.keys() - wanted, key=str)
        ]
        for key in sorted(wanted, key=str):
            message = kept.get(key)
            if message is None or not all(texts(message)):
                found.append(f"{place}: no English for {key[1]!r}")
                continue
            if message.fuzzy:
                found.append(f"{place}: fuzzy translation of {key[1]!r}")
            if _placeholders(message):
                found.append(f"{place}: other placeholders in the English of {key[1]!r}")
            english[key].setdefault(texts(message), place)
    for (_context, msgid), variants in english.items():
        if len(variants) > 1:
            places = ", ".join(str(path) for path in variants.values())
            found.append(f"{msgid!r} has different English texts (use pgettext): {places}")
    return found


def _placeholders(message: Message) -> bool:
    """Do the placeholders of a translation differ from those of the message?"""
    ids = (message.id,) if isinstance(message.id, str) else tuple(message.id)
    wanted = {text for msgid in ids for text in PLACEHOLDER.findall(msgid)}
    # A singular may leave the number out: "one row".
    allowed_fewer = len(ids) > 1
    given = [set(PLACEHOLDER.findall(text)) for text in texts(message)]
    return any(have != wanted and not (allowed_fewer and have < wanted) for have in given)


def main() -> int:
    """Run one of the three commands of the module's description."""
    settings.configure()  # templatize asks for settings, but for none of ours
    command = sys.argv[1] if len(sys.argv) == 2 else ""
    if command == "compile":
        compile_catalogs()
    elif command == "update":
        update()
    elif command == "check":
        found = problems()
        print("\n".join(found) if found else "messages: every text has its English")
        return 1 if found else 0
    else:
        print(__doc__, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
