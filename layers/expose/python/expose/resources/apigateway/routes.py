"""Routes, each created in one call with whoever guards it; and how many requests each lets through.

No call here ever leaves a route open that is not to be: it is created with its authorisation, and changed from one to
another in a single call (F§5.2).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from expose.aws import Clients
from expose.mechanisms.api.doors import OPEN
from expose.model import Identity, Owned, Resource, fingerprint, resolve
from expose.refusals import Refused
from expose.resources.apigateway.edge import by_id, changing, named, said, there, unless_gone
from expose.resources.apigateway.integrations import check_backed
from expose.resources.kind import Ids, Made


class Routes:
    """Ours are those that lead to an integration of ours."""

    ACTIONS = frozenset({"apigateway:DELETE", "apigateway:GET", "apigateway:PATCH", "apigateway:POST"})

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def read(self, owned: Iterable[Owned], mark: str) -> Iterator[Owned]:
        for entry, ids, found in there("apigw.route", owned, self._all):
            spec = _seen(found, entry, ids)
            is_open = spec["authorization"] == OPEN
            yield Owned(entry.identity, fingerprint(spec), entry.aws_id, refs=entry.refs, open=is_open)

    def create(self, resource: Resource, ids: Ids, mark: str) -> Made:
        """Raise `Refused` where somebody else has a route with this key, or one with another variable in its place."""
        gateway = self._clients.apigatewayv2
        asked = list(resource.spec["scopes"])
        scopes: Any = {"AuthorizationScopes": asked} if asked else {}
        try:
            with changing():
                made = gateway.create_route(
                    ApiId=ids["api"],
                    RouteKey=resource.spec["key"],
                    **_wanted(resource, ids),
                    **scopes,
                )
        except gateway.exceptions.ConflictException as error:
            for found in self._all(ids["api"]).values():
                if found["RouteKey"] == resource.spec["key"] and self._may_have(found, ids, mark):
                    return self.update(resource, found["RouteId"], ids, mark)
            raise Refused(
                "RouteTaken",
                f"{said(error)}: it was not made for this tag. Choose another path, or remove that route",
            ) from error
        return Made(made.get("RouteId", ""))

    def update(self, resource: Resource, aws_id: str, ids: Ids, mark: str) -> Made:
        with changing():
            self._clients.apigatewayv2.update_route(
                ApiId=ids["api"],
                RouteId=aws_id,
                AuthorizationScopes=list(resource.spec["scopes"]),
                **_wanted(resource, ids),
            )
        return Made(aws_id)

    def locate(self, owned: Owned, ids: Ids, mark: str) -> str:
        if not ids.get("api") or not ids.get("integration"):
            return ""  # it would lead to an integration that never was
        before, _, path = owned.identity.key.partition(" ")
        key = f"{before.rpartition('/')[2]} {path}"
        for found in self._all(ids["api"]).values():
            if (found["RouteKey"], found.get("Target")) == (key, _target(ids)):
                return str(found["RouteId"])
        return ""

    def delete(self, owned: Owned, aws_id: str, ids: Ids, mark: str) -> str:
        """One that leads elsewhere by now has been taken over."""
        gateway = self._clients.apigatewayv2
        if ids.get("api") and ids.get("integration"):
            with unless_gone(), changing():
                if gateway.get_route(ApiId=ids["api"], RouteId=aws_id).get("Target") == _target(ids):
                    gateway.delete_route(ApiId=ids["api"], RouteId=aws_id)
        return ""

    def _may_have(self, route: Mapping[str, Any], ids: Ids, mark: str) -> bool:
        """It is ours already, or another exposure of this stack made it and has handed over the claim that we hold."""
        if route.get("Target") == _target(ids):
            return True
        if not route.get("Target"):
            return False
        gateway = self._clients.apigatewayv2
        try:
            found = gateway.get_integration(
                ApiId=ids["api"], IntegrationId=route.get("Target", "").removeprefix("integrations/")
            )
        except gateway.exceptions.NotFoundException:
            return False
        if not found.get("Description", "").startswith(f"{mark.partition('/')[0]}/"):
            return False
        self._check_backed(ids)
        return True

    def _check_backed(self, ids: Ids) -> None:
        """A route that works is taken over only once there is something behind it here."""
        integration = self._clients.apigatewayv2.get_integration(
            ApiId=ids["api"], IntegrationId=ids["integration"]
        )
        check_backed(self._clients, integration.get("IntegrationUri", ""))

    def _all(self, api: str) -> dict[str, Any]:
        return by_id(self._clients.apigatewayv2.get_routes, "RouteId", ApiId=api)


class Throttles:
    """Set after their route is there, and taken back before it goes: a stage with settings of a route that is gone can
    not be changed any more (F§5.4).
    """

    ACTIONS = frozenset({"apigateway:DELETE", "apigateway:GET", "apigateway:PATCH"})

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def read(self, owned: Iterable[Owned], mark: str) -> Iterator[Owned]:
        entries = list(owned)
        known = {entry.identity: entry for entry in entries}
        stages: dict[tuple[str, str], Any] = {}
        for entry in entries:
            ids = resolve(entry.refs, known) if entry.identity.kind == "apigw.throttle" else {}
            if not (api := ids.get("api", "")) or not entry.aws_id:
                continue
            stage, _, key = entry.aws_id.partition("#")
            if (api, stage) not in stages:
                stages[api, stage] = self._settings(api, stage)
            settings = stages[api, stage]
            if key in settings:
                spec = {
                    "rate": int(settings[key].get("ThrottlingRateLimit", 0)),
                    "burst": settings[key].get("ThrottlingBurstLimit"),
                    "stage": stage,
                    "key": key,
                }
                yield Owned(entry.identity, fingerprint(spec), entry.aws_id, refs=entry.refs)

    def create(self, resource: Resource, ids: Ids, mark: str) -> Made:
        spec = resource.spec
        with changing():
            self._clients.apigatewayv2.update_stage(
                ApiId=ids["api"],
                StageName=spec["stage"],
                RouteSettings={
                    spec["key"]: {
                        "ThrottlingRateLimit": spec["rate"],
                        "ThrottlingBurstLimit": spec["burst"],
                        "DetailedMetricsEnabled": True,
                    }
                },
            )
        return Made(_of(resource.identity))

    def update(self, resource: Resource, aws_id: str, ids: Ids, mark: str) -> Made:
        return self.create(resource, ids, mark)

    def locate(self, owned: Owned, ids: Ids, mark: str) -> str:
        return _of(owned.identity) if ids.get("api") else ""

    def delete(self, owned: Owned, aws_id: str, ids: Ids, mark: str) -> str:
        """Where its route has been taken over, they are somebody else's by now."""
        stage, _, key = aws_id.partition("#")
        gateway = self._clients.apigatewayv2
        if ids.get("api") and ids.get("integration"):
            with unless_gone(), changing():
                known = ids.get("route")  # gone first, if it was open and had to be
                if known and gateway.get_route(ApiId=ids["api"], RouteId=known).get("Target") != _target(ids):
                    return ""
            with unless_gone(), changing():
                gateway.delete_route_settings(ApiId=ids["api"], StageName=stage, RouteKey=key)
        return ""

    def _settings(self, api: str, stage: str) -> Any:
        """By route key; none where the stage is gone."""
        gateway = self._clients.apigatewayv2
        try:
            return gateway.get_stage(ApiId=api, StageName=stage).get("RouteSettings", {})
        except gateway.exceptions.NotFoundException:
            return {}


def _of(identity: Identity) -> str:
    """The stage and the route key that settings are for: `STAGE#KEY`."""
    before, _, key = identity.key.partition("#")
    return f"{before.rpartition('/')[2]}#{key}"


def _target(ids: Ids) -> str:
    return f"integrations/{ids['integration']}"


def _wanted(resource: Resource, ids: Ids) -> Any:
    """Where it leads and who may pass, always both."""
    authorization = resource.spec["authorization"]
    return {
        "Target": _target(ids),
        "AuthorizationType": authorization,
        **({"AuthorizerId": ids["authorizer"]} if authorization in {"JWT", "CUSTOM"} else {}),
    }


def _seen(found: Mapping[str, Any], entry: Owned, ids: Ids) -> dict[str, Any]:
    """The spec that a route fulfils, in which what is ours has our name."""
    return {
        "key": found["RouteKey"],
        "authorization": found.get("AuthorizationType", OPEN),
        "scopes": sorted(found.get("AuthorizationScopes", [])),
        "authorizer": named(entry, ids, "authorizer", found.get("AuthorizerId", "")),
        "integration": named(
            entry, ids, "integration", found.get("Target", "").removeprefix("integrations/")
        ),
    }
