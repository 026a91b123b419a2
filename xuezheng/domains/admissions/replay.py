"""Repeat a published draw and allocation.  Python 3.8 or newer, nothing else; imports none of our code.

  python3 replay.py draw.json roll.txt allocation.json result.json

draw.json {"root", "digits", "public", "secret", "commitment"}; roll.txt one child a line: its code and the
hash of its line (or the line itself); allocation.json and result.json what went in and came out.  Ends
with 0 if all agrees.  A family checks its own line, and that the allocation used what stands in it:
  python3 replay.py leaf ROOT mine.json [allocation.json]
"""

import hashlib
import json
import sys
from pathlib import Path


def sha(text):
    return hashlib.sha256(text.encode()).hexdigest()


def leaf(line):
    hashed = [word for word in line.split()[1:] if len(word) == 64]
    return hashed[0] if hashed else hashlib.sha256(b"\x00" + line.encode()).hexdigest()


def node(left, right):
    return hashlib.sha256(b"\x01" + bytes.fromhex(left) + bytes.fromhex(right)).hexdigest()


def root_of(lines):
    level = [leaf(line) for line in lines]
    while len(level) > 1:
        up = [node(level[i], level[i + 1]) for i in range(0, len(level) - 1, 2)]
        level = up + ([level[-1]] if len(level) % 2 else [])
    return level[0]


def check_own(root, mine, given):
    value = leaf(mine["line"])
    for side, other in mine["path"]:
        value = node(other, value) if side == "left" else node(value, other)
    wrong = [] if value == root else ["the line is NOT in the roll"]
    code, _salt, *words = mine["line"].split(" ")
    pairs = [word.split("=") for word in words if not word.startswith("with=")]
    wishes = {s: [int(n) for n in rest.split(":")[0].split(",")] for s, rest in pairs}
    used = [child["keys"] for child in given["children"] if child["code"] == code]
    if any(wishes.get(school) != key[:-1] for keys in used for school, key in keys.items()):
        wrong.append("the allocation did not use what stands in the line")
    return wrong


def expected(given, result):
    """Where everybody must be: by the cut-offs, or for immediate acceptance by playing the rounds."""
    children, groups, tied = {c["code"]: c for c in given["children"]}, {}, {}
    for code, word in ((c, child.get("together")) for c, child in children.items()):
        if word is not None:
            groups.setdefault(word, set()).update({code, word})
    for members in groups.values():
        tied.update({code: sorted(members & set(children)) for code in members})

    def key_of(code, school):
        group = tied.get(code, [code])
        worst = max(children[member]["keys"][school] for member in group)
        return [*worst, group.index(code)] if code in tied else worst

    passed, where = result.get("passed_over", {}), dict.fromkeys(children)
    lists = {
        c: [s for s in children[c]["preferences"] if s not in passed.get(c, [])] for c in where
    }
    if given["mechanism"] != "immediate_acceptance":
        for code, cut in ((c, result["cutoffs"]) for c in where):
            fits = (s for s in lists[code] if cut[s] is None or key_of(code, s) <= cut[s])
            where[code] = next(fits, None)
        return where
    room = {school["code"]: school["places"] for school in given["schools"]}
    for n in range(max(map(len, lists.values()), default=0)):
        free = [c for c in where if where[c] is None and len(lists[c]) > n]
        for code in sorted(free, key=lambda c: (lists[c][n], key_of(c, lists[c][n]), c)):
            if room[lists[code][n]]:
                where[code], room[lists[code][n]] = lists[code][n], room[lists[code][n]] - 1
    return where


def check_allocation(given, result, draw):
    got, right = result["assignments"], expected(given, result)
    odd = [code for code in {**right, **got} if got.get(code) != right.get(code)]
    wrong = [f"child {code} is not where it must be" for code in odd]
    for child in given["children"]:
        if any(key[-1] != draw.get(child["code"]) for key in child["keys"].values()):
            wrong.append(f"child {child['code']} does not have its drawn number")
    full = [s["code"] for s in given["schools"] if [*got.values()].count(s["code"]) > s["places"]]
    wrong += [f"school {code} has more children than places" for code in full]
    if sha("\n".join(sorted(f"{c},{s or ''}" for c, s in got.items()))) != result["sha256"]:
        wrong.append("the hash of the result does not agree")
    return wrong


def main(arguments):
    if arguments and arguments[0] == "leaf":
        files = [json.loads(Path(name).read_text(encoding="utf-8")) for name in arguments[2:]]
        wrong = check_own(arguments[1], files[0], (files[1:] or [{"children": []}])[0])
        return print("\n".join(wrong) or "the line is in the roll") or int(bool(wrong))
    texts = [Path(name).read_text(encoding="utf-8") for name in arguments]
    draw, given, result = (json.loads(texts[n]) for n in (0, 2, 3))
    lines = texts[1].splitlines()
    wrong = [] if root_of(lines) == draw["root"] else ["the roll is not the one that was frozen"]
    if sha(draw["secret"]) != draw["commitment"]:
        wrong.append("the secret is not the one that was committed to")
    seed = sha("|".join([draw["root"], draw["digits"]] + draw["public"] + [draw["secret"]]))
    codes = {line.split()[0] for line in lines}
    ranked = sorted(codes, key=lambda c: hashlib.sha256((seed + "|" + c).encode()).digest())
    drawn = {code: number for number, code in enumerate(ranked, start=1)}
    wrong += check_allocation(given, result, drawn)
    print(f"seed {seed}, {len(drawn)} children, {len(wrong)} problems", *wrong, sep="\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
