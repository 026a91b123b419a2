#!/usr/bin/env python3
"""Repeat a published draw and allocation.  Python 3.8 or newer, nothing else; imports none of our code.

  python3 replay.py draw.json roll.txt allocation.json result.json

draw.json {"root", "digits", "public": [...], "secret", "commitment"}, published after the draw;
roll.txt the frozen roll, one leaf a line, its first word the child's code; allocation.json and
result.json what went in and came out (codes only).  Ends with 0 only if everything agrees.
A family checks its own line:  python3 replay.py leaf ROOT "LEAF TEXT" path.json
"""

import hashlib
import json
import sys
from pathlib import Path


def sha(text):
    return hashlib.sha256(text.encode()).hexdigest()


def leaf(text):
    return hashlib.sha256(b"\x00" + text.encode()).hexdigest()


def node(left, right):
    return hashlib.sha256(b"\x01" + bytes.fromhex(left) + bytes.fromhex(right)).hexdigest()


def root_of(lines):
    level = [leaf(line) for line in lines]
    while len(level) > 1:
        up = [node(level[i], level[i + 1]) for i in range(0, len(level) - 1, 2)]
        level = up + ([level[-1]] if len(level) % 2 else [])
    return level[0]


def follows(text, path, root):
    value = leaf(text)
    for side, other in path:
        value = node(other, value) if side == "left" else node(value, other)
    return value == root


def numbers(seed, codes):
    ranked = sorted(codes, key=lambda c: hashlib.sha256((seed + "|" + c).encode()).digest())
    return {code: n for n, code in enumerate(ranked, start=1)}


def first_admitting(child, key_of, cutoffs, passed):
    for school in child["preferences"]:
        cutoff = cutoffs[school]
        if school not in passed and (cutoff is None or key_of(child, school) <= cutoff):
            return school
    return None


def check_allocation(given, result, draw):
    children = {child["code"]: child for child in given["children"]}
    groups = {}
    for child in given["children"]:
        word = child.get("together")
        if word is not None:
            groups.setdefault(word, set()).add(child["code"])
            if word in children:
                groups[word].add(word)
    tied = {code: sorted(members) for members in groups.values() for code in members}

    def key_of(child, school):
        if child["code"] not in tied:
            return child["keys"][school]
        members = tied[child["code"]]
        worst = max(children[m]["keys"][school] for m in members)
        return [*worst, members.index(child["code"])]

    wrong = []
    for child in given["children"]:
        passed = result.get("passed_over", {}).get(child["code"], [])
        expected = first_admitting(child, key_of, result["cutoffs"], passed)
        if result["assignments"].get(child["code"]) != expected:
            wrong.append(f"child {child['code']} is not at the first school that admits it")
        for key in child["keys"].values():
            if draw and key[-1] != draw[child["code"]]:
                wrong.append(f"child {child['code']} does not have its drawn number")
    for school in given["schools"]:
        count = list(result["assignments"].values()).count(school["code"])
        if count > school["places"]:
            wrong.append(f"school {school['code']} has more children than places")
    lines = sorted(f"{c},{s or ''}" for c, s in result["assignments"].items())
    if sha("\n".join(lines)) != result["sha256"]:
        wrong.append("the hash of the result does not agree")
    return wrong


def main(arguments):
    if arguments and arguments[0] == "leaf":
        good = follows(arguments[2], json.loads(Path(arguments[3]).read_text()), arguments[1])
        print("the line is in the roll" if good else "the line is NOT in the roll")
        return 0 if good else 1
    draw_text, roll, given, result = (Path(a).read_text(encoding="utf-8") for a in arguments)
    draw, given, result = json.loads(draw_text), json.loads(given), json.loads(result)
    lines = roll.splitlines()
    wrong = []
    if root_of(lines) != draw["root"]:
        wrong.append("the roll is not the one that was frozen")
    if sha(draw["secret"]) != draw["commitment"]:
        wrong.append("the secret is not the one that was committed to")
    seed = sha("|".join([draw["root"], draw["digits"]] + draw["public"] + [draw["secret"]]))
    drawn = numbers(seed, {line.split()[0] for line in lines})
    wrong += check_allocation(given, result, drawn)
    print(f"seed {seed}, {len(drawn)} children, {len(wrong)} problems")
    print("\n".join(wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
