"""A draw that anybody can repeat.

1. The roll is frozen: each child a leaf, the Merkle root published; a family gets its leaf and path.
2. The office commits itself to a secret by its hash and names public values that lie in the future.
3. On stage parents' representatives draw digits; the secret is opened.
4. seed = SHA-256(root | digits | public values | secret); a child's draw number is the rank of
   SHA-256(seed | code).  The number belongs to child and season, never to an application.
"""

import hashlib
import hmac
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_LEAF, _NODE = b"\x00", b"\x01"


def leaf_hash(text: str) -> str:
    """Hash of a leaf; its first byte differs from a node's, so that no node passes for a leaf."""
    return hashlib.sha256(_LEAF + text.encode()).hexdigest()


def _node(left: str, right: str) -> str:
    return hashlib.sha256(_NODE + bytes.fromhex(left) + bytes.fromhex(right)).hexdigest()


@dataclass(frozen=True)
class Tree:
    """A Merkle tree over the leaves in their given order; a lone node goes up as it is."""

    levels: tuple[tuple[str, ...], ...]

    @classmethod
    def of(cls, leaves: Iterable[str]) -> "Tree":
        """Raises ValueError for no leaves."""
        level = tuple(leaf_hash(text) for text in leaves)
        if not level:
            raise ValueError("a roll without children")
        levels = [level]
        while len(level) > 1:
            pairs = zip(level[::2], level[1::2], strict=False)
            upper = [_node(left, right) for left, right in pairs]
            if len(level) % 2:
                upper.append(level[-1])
            level = tuple(upper)
            levels.append(level)
        return cls(tuple(levels))

    @property
    def root(self) -> str:
        """What is published."""
        return self.levels[-1][0]

    def path(self, index: int) -> list[tuple[str, str]]:
        """The way from a leaf to the root: (side of the neighbour, its hash) for each step."""
        way = []
        for level in self.levels[:-1]:
            neighbour = index ^ 1
            if neighbour < len(level):
                way.append(("left" if neighbour < index else "right", level[neighbour]))
            index //= 2
        return way


def follows(text: str, path: Sequence[tuple[str, str]], root: str) -> bool:
    """Whether a leaf with its path belongs to a root."""
    value = leaf_hash(text)
    for side, neighbour in path:
        value = _node(neighbour, value) if side == "left" else _node(value, neighbour)
    return hmac.compare_digest(value, root)


def commitment(secret: str) -> str:
    """What the office publishes before the draw."""
    return hashlib.sha256(secret.encode()).hexdigest()


def seed(root: str, digits: str, public: Sequence[str], secret: str) -> str:
    """The seed, from values that nobody alone could choose.  Raises ValueError for too few digits."""
    if not digits.isdigit() or len(digits) < 6:
        raise ValueError("at least six digits are drawn on stage")
    text = "|".join([root, digits, *public, secret])
    return hashlib.sha256(text.encode()).hexdigest()


def draw_numbers(seed_text: str, codes: Iterable[str]) -> dict[str, int]:
    """Code -> draw number from 1, by the order of SHA-256(seed | code)."""
    ranked = sorted(
        set(codes), key=lambda code: hashlib.sha256(f"{seed_text}|{code}".encode()).digest()
    )
    return {code: number for number, code in enumerate(ranked, start=1)}
