"""Custom domains, and what is mapped into them (F§5.4)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from expose.aws import Clients
from expose.model import Owned, Resource, fingerprint, resolve
from expose.refusals import NotYet, Refused
from expose.resources.apigateway.edge import by_id, changing, pages, said, unless_gone
from expose.resources.kind import Ids, Made
from expose.resources.mark import OWNER_TAG

if TYPE_CHECKING:
    from mypy_boto3_apigatewayv2.type_defs import GetDomainNameResponseTypeDef


class Domains:
    ACTIONS = frozenset({"apigateway:DELETE", "apigateway:GET", "apigateway:PATCH", "apigateway:POST"})

    def __init__(self, clients: Clients, stack: str) -> None:
        self._clients = clients
        self._stack = stack

    def find(self, key: str) -> dict[str, Any] | None:
        """What there is to know of the domain `key`; None where there is none."""
        found = self._described(key)
        if found is None:
            return None
        return {
            "ours": found.get("Tags", {}).get(OWNER_TAG) == self._stack,
            "address": target(found)[0],
        }

    def read(self, owned: Iterable[Owned], mark: str) -> Iterator[Owned]:
        for entry in owned:
            if entry.identity.kind == "apigw.domain" and (found := self._ours(entry.aws_id)):
                configuration = (found.get("DomainNameConfigurations") or [{}])[0]
                spec = {"name": entry.aws_id, "certificate": configuration.get("CertificateArn", "")}
                yield Owned(entry.identity, fingerprint(spec), entry.aws_id, shared=True)

    def create(self, resource: Resource, ids: Ids, mark: str) -> Made:
        gateway, name = self._clients.apigatewayv2, resource.spec["name"]
        try:
            with changing():
                made: Any = gateway.create_domain_name(
                    DomainName=name,
                    DomainNameConfigurations=[_configuration(resource)],
                    Tags={OWNER_TAG: self._stack},
                )
        except gateway.exceptions.ConflictException as error:
            made = self._ours(name)
            if made is None:
                raise Refused("NameTaken", f"custom domain {name} was not made by this stack") from error
        except gateway.exceptions.BadRequestException as error:
            problem = f"API Gateway does not take the stack's certificate for {name}: {said(error)}"
            raise Refused("NoCertificate", problem) from error
        return Made(name, address=target(made)[0])

    def update(self, resource: Resource, aws_id: str, ids: Ids, mark: str) -> Made:
        with changing():
            self._clients.apigatewayv2.update_domain_name(
                DomainName=aws_id, DomainNameConfigurations=[_configuration(resource)]
            )
        return Made(aws_id)

    def locate(self, owned: Owned, ids: Ids, mark: str) -> str:
        return owned.identity.key if self._ours(owned.identity.key) else ""

    def delete(self, owned: Owned, aws_id: str, ids: Ids, mark: str) -> str:
        """One that somebody has made in the place of ours has its name, and not our mark."""
        gateway = self._clients.apigatewayv2
        if not self._ours(aws_id):
            return ""
        with unless_gone(), changing():
            if any(True for _ in pages(gateway.get_api_mappings, DomainName=aws_id)):
                raise NotYet(f"custom domain {aws_id} still has mappings", seconds=30)
            gateway.delete_domain_name(DomainName=aws_id)
        return ""

    def _ours(self, name: str) -> GetDomainNameResponseTypeDef | None:
        """What there is to know of one that this stack has made; None where there is none."""
        found = self._described(name) if name else None
        return found if found and found.get("Tags", {}).get(OWNER_TAG) == self._stack else None

    def _described(self, name: str) -> GetDomainNameResponseTypeDef | None:
        gateway = self._clients.apigatewayv2
        try:
            return gateway.get_domain_name(DomainName=name)
        except gateway.exceptions.NotFoundException:
            return None


class Mappings:
    ACTIONS = frozenset({"apigateway:DELETE", "apigateway:GET", "apigateway:PATCH", "apigateway:POST"})

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def read(self, owned: Iterable[Owned], mark: str) -> Iterator[Owned]:
        entries = list(owned)
        known = {entry.identity: entry for entry in entries}
        for entry in entries:
            if entry.identity.kind == "apigw.mapping" and entry.aws_id:
                api = resolve(entry.refs, known).get("api", "")
                domain = entry.identity.key.partition("/")[0]
                if found := self._all(domain).get(entry.aws_id):
                    below = found.get("ApiMappingKey", "")
                    spec = {"domain": domain, "below": below, "stage": found["Stage"]}
                    spec |= {} if found["ApiId"] == api else {"api": found["ApiId"]}
                    yield Owned(entry.identity, fingerprint(spec), entry.aws_id, refs=entry.refs, shared=True)

    def create(self, resource: Resource, ids: Ids, mark: str) -> Made:
        """Raise `Refused` where the domain leads to an API of somebody else there, or above: the longest mapping has the
        requests, so ours would take some of theirs.
        """
        spec, gateway, stack = resource.spec, self._clients.apigatewayv2, mark.partition("/")[0]
        for found in self._all(spec["domain"]).values():
            key = found.get("ApiMappingKey", "")
            if (key, found["ApiId"]) == (spec["below"], ids["api"]):
                return Made(found["ApiMappingId"])
            if key == spec["below"] or (not key and not self._ours(found["ApiId"], stack)):
                raise Refused(
                    "MappingTaken",
                    f"custom domain {spec['domain']} leads to API {found['ApiId']} already: name that with api=, or "
                    "remove its mapping",
                )
        with changing():
            made = gateway.create_api_mapping(
                DomainName=spec["domain"],
                ApiId=ids["api"],
                Stage=spec["stage"],
                **({"ApiMappingKey": spec["below"]} if spec["below"] else {}),
            )
        return Made(made.get("ApiMappingId", ""))

    def update(self, resource: Resource, aws_id: str, ids: Ids, mark: str) -> Made:
        with changing():
            self._clients.apigatewayv2.update_api_mapping(
                DomainName=resource.spec["domain"],
                ApiMappingId=aws_id,
                ApiId=ids["api"],
                Stage=resource.spec["stage"],
            )
        return Made(aws_id)

    def locate(self, owned: Owned, ids: Ids, mark: str) -> str:
        domain, _, below = owned.identity.key.partition("/")
        for found in self._all(domain).values():
            if found.get("ApiMappingKey", "") == below and found["ApiId"] == ids.get("api"):
                return str(found["ApiMappingId"])
        return ""

    def delete(self, owned: Owned, aws_id: str, ids: Ids, mark: str) -> str:
        """One that leads to another API by now is somebody else's."""
        domain = owned.identity.key.partition("/")[0]
        with unless_gone(), changing():
            if self._all(domain).get(aws_id, {}).get("ApiId", "") == ids.get("api"):
                self._clients.apigatewayv2.delete_api_mapping(DomainName=domain, ApiMappingId=aws_id)
        return ""

    def _ours(self, api: str, stack: str) -> bool:
        """A REST API, which is not found here, is none of those that we map."""
        gateway = self._clients.apigatewayv2
        try:
            tags = gateway.get_api(ApiId=api).get("Tags", {})
        except gateway.exceptions.NotFoundException:
            return False
        return tags.get(OWNER_TAG, "").partition("/")[0] == stack

    def _all(self, domain: str) -> dict[str, Any]:
        return by_id(self._clients.apigatewayv2.get_api_mappings, "ApiMappingId", DomainName=domain)


def target(domain: Any) -> tuple[str, str]:
    """The name and the hosted zone that an alias of the domain leads to."""
    configuration = (domain.get("DomainNameConfigurations") or [{}])[0]
    return configuration.get("ApiGatewayDomainName", ""), configuration.get("HostedZoneId", "")


def _configuration(resource: Resource) -> Any:
    return {
        "CertificateArn": resource.spec["certificate"],
        "EndpointType": "REGIONAL",
        "SecurityPolicy": "TLS_1_2",
    }
