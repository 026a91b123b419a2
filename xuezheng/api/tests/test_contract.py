"""Every call that the description allows, made up by a machine: never a 500, always the promised shape."""

import hypothesis
import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.season import SeasonRoom
from xuezheng.api.models import Scope, add_client
from xuezheng.api.urls import api
from xuezheng.kernel.access.actors import JobActor

CHECKS = [
    not_a_server_error, status_code_conformance, content_type_conformance,
    response_schema_conformance,
]  # fmt: skip
EXAMPLES = 25


def described() -> schemathesis.BaseSchema:
    found = schemathesis.openapi.from_dict(api.get_openapi_schema(path_prefix="/api/v1/"))
    found.app = get_wsgi_application()
    return found


SCHEMA = described()
OPERATIONS = [found.ok() for found in SCHEMA.get_all_operations()]


@pytest.fixture
def kept_connection():
    """The application would close the connection on which the test's transaction runs."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.mark.usefixtures("kept_connection")
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: one.label)
def test_answers_keep_what_is_described(room: SeasonRoom, operation) -> None:
    _client, token = add_client(name="m", scopes=Scope.values, days=1, by=JobActor("tests"))

    @hypothesis.settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.given(operation.as_strategy())
    def attempt(case) -> None:
        if "season_id" in case.path_parameters and case.path_parameters["season_id"] % 2:
            case.path_parameters["season_id"] = room.season.id
        answer = case.call(headers={"Authorization": f"Bearer {token}"})
        case.validate_response(answer, checks=CHECKS)

    attempt()
