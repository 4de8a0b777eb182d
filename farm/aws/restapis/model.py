"""What API Gateway knows of REST APIs: all that is in them, what their stages serve, and what the farm may turn.

Of moto's API Gateway v1 only the front is kept, as of v2 in `farm.aws.apigateway`. What is in an API is kept as AWS shows
it, under the names of AWS's model. The state lives on moto's backend of v1, so that moto's reset forgets it; tags, VPC
Links and whom to tell of changes are API Gateway's of both versions, and kept with v2's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeVar

from moto.apigateway.models import APIGatewayBackend, apigateway_backends

from farm.aws import ACCOUNT, REGION
from farm.aws.apigateway import model as http
from farm.aws.apigateway.model import Params, Refused, Result
from farm.aws.restapis.deployed import Snapshot

T = TypeVar("T")
Targets = Literal["listener", "balancer", "either"]


@dataclass(slots=True)
class Settings:
    """What tests and the farm may turn."""

    targets: Targets = "listener"
    """What an integrationTarget may be: AWS's sources disagree on it (F§5.5)."""
    logs_role: bool = True
    """Whether the account has the role that writes logs, without which no stage may have any ([M])."""
    busy: float = 0.0
    """Seconds after a change of an API in which another one meets "concurrent modification"."""
    page: int = 25
    """The page when none is asked for."""
    most_apis: int = 600
    most_resources: int = 300
    most_stages: int = 10
    most_authorizers: int = 10


@dataclass(slots=True)
class Deployment:
    """A deployment, as AWS shows it but for its summary, and what was deployed."""

    shown: Result
    snapshot: Snapshot


@dataclass(slots=True)
class RestApi:
    """A REST API: `shown` as AWS shows it but for its tags, and so is what it holds, stages by name and the rest by id."""

    id: str
    shown: Result
    resources: dict[str, Result]
    """With `resourceMethods` always, and a method's integration as `methodIntegration`."""
    authorizers: dict[str, Result] = field(default_factory=dict)
    deployments: dict[str, Deployment] = field(default_factory=dict)
    stages: dict[str, Result] = field(default_factory=dict)
    changed_at: float = 0.0

    def resource(self, asked: Params) -> Result:
        return find("resource", self.resources, asked["resourceId"])

    def method(self, asked: Params) -> Result:
        return find("Method", self.resource(asked)["resourceMethods"], asked["httpMethod"])

    def served(self, stage: str) -> Snapshot:
        return self.deployments[self.stages[stage]["deploymentId"]].snapshot


@dataclass(slots=True)
class Rest:
    """All of one account's REST APIs in one Region."""

    region: str
    settings: Settings = field(default_factory=Settings)
    apis: dict[str, RestApi] = field(default_factory=dict)

    @property
    def both(self) -> http.Gateway:
        """What both versions of API Gateway share."""
        return http.gateway(self.region)

    def api(self, asked: Params) -> RestApi:
        if found := self.apis.get(asked["restApiId"]):
            return found
        raise Refused("NotFoundException", f"Invalid API identifier specified {ACCOUNT}:{asked['restApiId']}")

    def host(self, api: str) -> str:
        return f"{api}.execute-api.{self.region}.amazonaws.com"

    def tagged(self, shown: Result, *path: str) -> Result:
        """As AWS shows it, with its tags."""
        return {**shown, "tags": dict(self.both.tags.get(self.both.arn(*path), {}))}

    def tag(self, tags: Mapping[str, str], *path: str) -> None:
        self.both.tags[self.both.arn(*path)] = dict(tags)

    def forget_tags(self, *path: str) -> None:
        """Of a thing and of all that is in it."""
        above = self.both.arn(*path)
        for arn in [one for one in self.both.tags if f"{one}/".startswith(f"{above}/")]:
            del self.both.tags[arn]


def find(kind: str, among: Mapping[str, T], identity: str) -> T:
    if (found := among.get(identity)) is None:
        raise Refused("NotFoundException", f"Invalid {kind} identifier specified")
    return found


def check_room(present: int, most: int, kind: str) -> None:
    if present >= most:
        raise Refused(
            "LimitExceededException",
            f"Maximum number of {kind} has been reached. Please contact AWS if you need additional {kind}.",
        )


def rest_of(backend: APIGatewayBackend) -> Rest:
    found: Rest = backend.__dict__.setdefault("farm_rest", Rest(backend.region_name))
    return found


def rest(region: str = REGION) -> Rest:
    return rest_of(apigateway_backends[ACCOUNT][region])


def settings(region: str = REGION) -> Settings:
    return rest(region).settings
