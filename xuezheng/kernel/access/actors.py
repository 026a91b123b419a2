"""Actors: whoever does something.  Services take one as `by`, querysets as `visible_to(actor)`."""

import datetime as dt
from functools import cache, cached_property
from typing import Protocol

from django.core.exceptions import PermissionDenied
from django.db import connection
from django.utils import timezone

from xuezheng.kernel.access.models import Organisation, Post, User
from xuezheng.kernel.access.permissions import PERSON, grants, roles
from xuezheng.kernel.access.scope import Scope, authorities, authority_code, below


def _columns(model: type[Post] | type[Organisation], part: str) -> list[str]:
    return [getattr(field, part) for field in model._meta.concrete_fields]


@cache
def _posts_question() -> tuple[str, int]:
    """The question for a user's posts on a day in fixed words, and how many columns are the post's.

    It is asked at every request; making its text anew each time costs a family a tenth of the time
    that handing in a registration takes.
    """
    post = _columns(Post, "column")
    organisation = _columns(Organisation, "column")
    chosen = [f'p."{name}"' for name in post] + [f'o."{name}"' for name in organisation]
    question = (
        f"SELECT {', '.join(chosen)} FROM access_post p"
        " JOIN access_user u ON u.id = p.user_id AND u.is_active"
        " JOIN access_organisation o ON o.id = p.organisation_id"
        " WHERE p.user_id = %s AND p.valid_from <= %s"
        ' AND (p.valid_to IS NULL OR p.valid_to >= %s) ORDER BY o."order", p.id'
    )
    return question, len(post)


class OutOfScope(PermissionDenied):
    """The actor holds the permission, but not for this organisation."""


class Actor(Protocol):
    """What services and querysets ask of whoever acts."""

    user: User | None
    name: str

    def can(self, permission: str) -> bool: ...

    def scope(self, permission: str) -> Scope: ...

    def post_for(self, permission: str, organisation_id: int) -> Post | None: ...


class StaffActor:
    """Whoever is signed in, with all posts held today; families and residents hold none.

    One person with several posts sees one inbox; each act records the post that allowed it.  What is
    granted to PERSON reaches no organisation: it is for rows that are the person's own.
    """

    def __init__(self, user: User, day: dt.date | None = None):
        self.user: User | None = user
        self.day = day or timezone.localdate()
        self._scopes: dict[str, Scope] = {}

    @cached_property
    def name(self) -> str:
        return str(self.user)

    @cached_property
    def posts(self) -> list[Post]:
        """Posts held on the actor's day, with their organisations (one query, none for a family)."""
        if not self.user.holds_posts:
            return []
        question, width = _posts_question()
        with connection.cursor() as cursor:
            cursor.execute(question, [self.user.pk, self.day, self.day])
            rows = cursor.fetchall()
        held = []
        for row in rows:
            post = Post.from_db(connection.alias, _columns(Post, "attname"), row[:width])
            names = _columns(Organisation, "attname")
            post.organisation = Organisation.from_db(connection.alias, names, row[width:])
            held.append(post)
        return held

    @cached_property
    def permissions(self) -> frozenset[str]:
        """What every person may do, and the union of what the posts grant."""
        granted = (grants().get(post.role, frozenset()) for post in self.posts)
        return grants()[PERSON].union(*granted)

    @cached_property
    def needs_second_factor(self) -> bool:
        """Whether one of the posts asks for a one-time code besides the password."""
        return any(roles()[post.role].second_factor for post in self.posts)

    def can(self, permission: str) -> bool:
        """Whether any post grants the permission somewhere, or every person has it."""
        return str(permission) in self.permissions

    @cached_property
    def _reach(self) -> dict[int, frozenset[int]]:
        """Post id -> organisations reached (two queries at most, for all posts together)."""
        starts = {post.organisation_id for post in self.posts}
        tops = authorities(starts, self.day) if starts else {}
        known = roles()
        roots = {
            post.id: tops[post.organisation_id]
            if known[post.role].reach == "authority"
            else post.organisation_id
            for post in self.posts
        }
        trees = below(set(roots.values()), self.day) if roots else {}
        return {post_id: trees[root] for post_id, root in roots.items()}

    @cached_property
    def authority_code(self) -> str:
        """Code of the authority of the first post, whose own parameters apply; empty without posts."""
        if not self.posts:
            return ""
        return authority_code(self.posts[0].organisation_id, self.day)

    def scope(self, permission: str) -> Scope:
        """Organisations in which some post grants the permission; worked out once."""
        if permission not in self._scopes:
            self._scopes[permission] = self._scope(permission)
        return self._scopes[permission]

    def _scope(self, permission: str) -> Scope:
        granting = [
            post for post in self.posts if str(permission) in grants().get(post.role, frozenset())
        ]
        reached = (self._reach[post.id] for post in granting)
        # One installation holds one authority: whoever reaches that reaches everything.
        everything = any(roles()[post.role].reach == "authority" for post in granting)
        return Scope(frozenset().union(*reached), everything)

    def post_for(self, permission: str, organisation_id: int) -> Post | None:
        """The post under which the actor may use the permission in the organisation.

        Raises PermissionDenied when no post grants it at all, OutOfScope when none reaches there.
        The nearest post is preferred: one held in the organisation itself.

        None for a permission of PERSON, which needs no post and asks for no organisation: the
        service itself must check that the row is the person's own.
        """
        if str(permission) in grants()[PERSON]:
            return None
        granting = [
            post for post in self.posts if str(permission) in grants().get(post.role, frozenset())
        ]
        if not granting:
            raise PermissionDenied(str(permission))
        reaching = [post for post in granting if organisation_id in self._reach[post.id]]
        if not reaching:
            raise OutOfScope(str(permission))
        return min(reaching, key=lambda post: post.organisation_id != organisation_id)


class ClientActor:
    """A program of somebody else that called with a token.  It holds no post and reaches everything
    that its permissions speak of; whoever lets it in narrows its rows to its own.
    """

    def __init__(self, name: str, permissions: frozenset[str]):
        self.user: User | None = None
        self.name = f"client:{name}"
        self.permissions = permissions

    def can(self, permission: str) -> bool:
        """Whether the token carries it."""
        return str(permission) in self.permissions

    def scope(self, permission: str) -> Scope:
        """Every organisation, or none (one query)."""
        if not self.can(permission):
            return Scope(frozenset())
        return Scope(frozenset(Organisation.objects.values_list("id", flat=True)), everything=True)

    def post_for(self, permission: str, organisation_id: int) -> None:
        """A program holds no post.  Raises PermissionDenied."""
        if not self.can(permission):
            raise PermissionDenied(str(permission))
        return None


class JobActor:
    """The program itself: a job or a command that nobody signed in for.

    It may do everything everywhere; what it does is recorded under its name.
    """

    def __init__(self, name: str):
        self.user: User | None = None
        self.name = name

    def can(self, permission: str) -> bool:
        """Always."""
        return True

    def scope(self, permission: str) -> Scope:
        """Every organisation (one query): asked anew, since a job's actor may live for months."""
        return Scope(frozenset(Organisation.objects.values_list("id", flat=True)), everything=True)

    def post_for(self, permission: str, organisation_id: int) -> None:
        """The program holds no post."""
        return None
