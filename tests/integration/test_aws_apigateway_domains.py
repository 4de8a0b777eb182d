"""APIs, domain names, mappings and tags behave as AWS's (F§5.4): certificates that cover, keys that are taken once."""

from __future__ import annotations

from typing import Any

import pytest
from http_apis import Apis, api
from refusals import refused

from farm.account import client
from farm.aws import acm, apigateway
from farm.aws.apigateway import Domain, Mapping, Served
from farm.timeline import Timeline

NAME = "api1.system.com"


class Named(Apis):
    """With a stage, and a certificate for what is below system.com."""

    def __init__(self, timeline: Timeline) -> None:
        super().__init__(timeline)
        self.stage()
        self.certificate = self.certified("*.system.com")

    def certified(self, name: str) -> str:
        made = client("acm").request_certificate(DomainName=name, ValidationMethod="DNS")
        return str(made["CertificateArn"])

    def domain(self, name: str = NAME, **asked: Any) -> dict[str, Any]:
        configuration = {"CertificateArn": self.certificate, **asked.pop("configuration", {})}
        answer: dict[str, Any] = api.create_domain_name(
            DomainName=name, DomainNameConfigurations=[configuration], **asked
        )
        return answer

    def mapping(self, key: str = "", domain: str = NAME, stage: str = "$default", **asked: Any) -> str:
        wanted = {"ApiId": self.api, "ApiMappingKey": key, **asked}
        return str(api.create_api_mapping(DomainName=domain, Stage=stage, **wanted)["ApiMappingId"])


@pytest.fixture
def world(timeline: Timeline) -> Named:
    return Named(timeline)


# APIs


def test_where_an_api_answers(world: Named) -> None:
    """ApiEndpoint is made of the id; DisableExecuteApiEndpoint closes it (F§5.4)."""
    shown = api.get_api(ApiId=world.api)
    host = f"{world.api}.execute-api.eu-west-1.amazonaws.com"
    assert shown["ApiEndpoint"] == f"https://{host}"
    assert apigateway.apis() == [Served(world.api, "granja", host, open=True, stages=("$default",))]
    api.update_api(ApiId=world.api, DisableExecuteApiEndpoint=True)
    assert [one.open for one in apigateway.apis()] == [False]
    assert api.get_api(ApiId=world.api)["Name"] == "granja"


def test_an_api_goes_with_all_that_is_in_it(world: Named) -> None:
    """But not while a domain name leads to it (F§5.4 [M])."""
    world.domain()
    mapping = world.mapping()
    with refused("BadRequestException"):
        api.delete_api(ApiId=world.api)
    with refused("BadRequestException"):
        api.delete_stage(ApiId=world.api, StageName="$default")
    api.delete_api_mapping(DomainName=NAME, ApiMappingId=mapping)
    api.delete_stage(ApiId=world.api, StageName="$default")
    api.delete_api(ApiId=world.api)
    for call in (api.get_api, api.delete_api, api.get_routes, api.update_api):
        with refused("NotFoundException"):
            call(ApiId=world.api)
    assert apigateway.apis() == []


def test_what_api_gateway_made_by_itself_stays(world: Named) -> None:
    """F§5.2: a quick-created API's route, integration and stage are ApiGatewayManaged."""
    made = world.new_api("quick", Target="https://backend.example.com")
    (route,) = api.get_routes(ApiId=made)["Items"]
    (integration,) = api.get_integrations(ApiId=made)["Items"]
    (stage,) = api.get_stages(ApiId=made)["Items"]
    assert (route["RouteKey"], stage["StageName"]) == ("$default", "$default")
    assert all(one["ApiGatewayManaged"] for one in (route, integration, stage))
    for call, more in (
        (api.delete_route, {"RouteId": route["RouteId"]}),
        (api.update_route, {"RouteId": route["RouteId"], "AuthorizationType": "AWS_IAM"}),
        (api.delete_integration, {"IntegrationId": integration["IntegrationId"]}),
        (api.delete_stage, {"StageName": "$default"}),
    ):
        with refused("BadRequestException"):
            call(ApiId=made, **more)
    present = len(apigateway.apis())
    with refused("BadRequestException"):
        world.new_api("broken", Target="backend")
    assert len(apigateway.apis()) == present
    api.create_route(ApiId=made, RouteKey="GET /orders")


def test_apis_come_in_pages(world: Named) -> None:
    made = {world.api, *(world.new_api() for _ in range(4))}
    pages = [api.get_apis(MaxResults="3")]
    pages.append(api.get_apis(MaxResults="3", NextToken=pages[0]["NextToken"]))
    assert {one["ApiId"] for some in pages for one in some["Items"]} == made


# domain names


def test_a_domain_name_says_where_its_record_must_lead(world: Named) -> None:
    """F§5.4: ApiGatewayDomainName and HostedZoneId, for an alias."""
    (shown,) = world.domain(Tags={"owner": "me"})["DomainNameConfigurations"]
    assert shown["ApiGatewayDomainName"].endswith(".execute-api.eu-west-1.amazonaws.com")
    assert (shown["EndpointType"], shown["SecurityPolicy"]) == ("REGIONAL", "TLS_1_2")
    target, zone = shown["ApiGatewayDomainName"], shown["HostedZoneId"]
    assert apigateway.domains() == [Domain(NAME, target, zone, world.certificate)]
    assert api.get_domain_name(DomainName=NAME)["Tags"] == {"owner": "me"}


@pytest.mark.parametrize(
    "name", ["API1.system.com", "api_1.system.com", "com", "api1.system.com.", "-a.system.com"]
)
def test_names_that_no_domain_may_have(world: Named, name: str) -> None:
    """F§5.4: lower case, no underscore."""
    with refused("BadRequestException"):
        world.domain(name)


def test_a_domain_name_is_made_once(world: Named) -> None:
    world.domain()
    with refused("ConflictException"):
        world.domain()
    assert len(api.get_domain_names()["Items"]) == 1


def test_a_certificate_is_there_issued_and_covers_the_name(world: Named) -> None:
    """F§5.4: in the same Region."""
    other = world.certified("api1.other.com")
    for wrong in (other, other.replace("eu-west-1", "us-east-1"), f"{other}0"):
        with refused("BadRequestException"):
            world.domain(configuration={"CertificateArn": wrong})
    acm.settings().validation = 60
    pending = world.certified(NAME)
    with refused("BadRequestException"):
        world.domain(configuration={"CertificateArn": pending})
    with refused("BadRequestException"):
        world.domain("deep.api1.system.com")
    world.timeline.run_for(60)
    world.domain(configuration={"CertificateArn": pending})


def test_what_no_domain_name_of_an_http_api_has(world: Named) -> None:
    """F§5.4: REGIONAL, TLS_1_2."""
    for wrong in ({"EndpointType": "EDGE"}, {"SecurityPolicy": "TLS_1_0"}):
        with refused("BadRequestException"):
            world.domain(configuration=wrong)
    with refused("BadRequestException"):
        api.create_domain_name(DomainName=NAME)


def test_a_domain_name_can_have_another_certificate(world: Named) -> None:
    before = world.domain()["DomainNameConfigurations"][0]
    other = world.certified(NAME)
    api.update_domain_name(DomainName=NAME, DomainNameConfigurations=[{"CertificateArn": other}])
    (after,) = api.get_domain_name(DomainName=NAME)["DomainNameConfigurations"]
    assert after == {**before, "CertificateArn": other}


def test_a_domain_name_with_mappings_stays(world: Named) -> None:
    """F§5.4 [M]."""
    world.domain()
    mapping = world.mapping()
    with refused("BadRequestException"):
        api.delete_domain_name(DomainName=NAME)
    api.delete_api_mapping(DomainName=NAME, ApiMappingId=mapping)
    api.delete_domain_name(DomainName=NAME)
    for call in (api.get_domain_name, api.delete_domain_name, api.get_api_mappings):
        with refused("NotFoundException"):
            call(DomainName=NAME)


# mappings


def test_mappings_the_longest_first(world: Named) -> None:
    """F§5.4: keys of several levels; empty is the root."""
    world.domain()
    world.stage("beta")
    for key, stage in (("", "$default"), ("a", "$default"), ("a/b", "beta")):
        world.mapping(key, stage=stage)
    assert apigateway.mappings(NAME) == [
        Mapping("a/b", world.api, "beta"),
        Mapping("a", world.api, "$default"),
        Mapping("", world.api, "$default"),
    ]
    assert len(api.get_api_mappings(DomainName=NAME, MaxResults="2")["Items"]) == 2


@pytest.mark.parametrize("key", ["/a", "a/", "a//b", "a b", "a{b}", "ä", "a" * 301])
def test_keys_that_no_mapping_may_have(world: Named, key: str) -> None:
    """F§5.4."""
    world.domain()
    with refused("BadRequestException"):
        world.mapping(key)


def test_a_key_is_taken_once_and_leads_somewhere(world: Named) -> None:
    """F§5.4: ConflictException; the stage and the API must be there."""
    world.domain()
    world.mapping("a")
    with refused("ConflictException"):
        world.mapping("a", ApiId=world.api)
    for wrong in ({"stage": "beta"}, {"ApiId": "abcdefghij"}, {"domain": "other.system.com"}):
        with refused("NotFoundException"):
            world.mapping("b", **wrong)
    assert [one.key for one in apigateway.mappings(NAME)] == ["a"]


def test_a_mapping_can_be_changed(world: Named) -> None:
    world.domain()
    world.stage("beta")
    one, other = world.mapping("a"), world.mapping("b")
    api.update_api_mapping(DomainName=NAME, ApiMappingId=one, ApiId=world.api, Stage="beta")
    assert Mapping("a", world.api, "beta") in apigateway.mappings(NAME)
    with refused("ConflictException"):
        api.update_api_mapping(DomainName=NAME, ApiMappingId=other, ApiId=world.api, ApiMappingKey="a")
    for call in (api.get_api_mapping, api.delete_api_mapping):
        with refused("NotFoundException"):
            call(DomainName=NAME, ApiMappingId="abcdef")


# tags


def test_four_kinds_of_things_have_tags(world: Named) -> None:
    """F§5.2: APIs, stages, VPC Links and domain names; the tagging API lists them."""
    world.domain()
    link = world.link()
    arns = [
        world.arn("apis", world.api),
        world.arn("apis", world.api, "stages", "$default"),
        world.arn("vpclinks", link),
        world.arn("domainnames", NAME),
    ]
    for arn in arns:
        api.tag_resource(ResourceArn=arn, Tags={"owner": "me", "other": "x"})
        api.untag_resource(ResourceArn=arn, TagKeys=["other", "none"])
        assert api.get_tags(ResourceArn=arn)["Tags"] == {"owner": "me"}
    tagging = client("resourcegroupstaggingapi")
    mine = {"TagFilters": [{"Key": "owner", "Values": ["me"]}], "ResourceTypeFilters": ["apigateway"]}
    found = tagging.get_resources(**mine)["ResourceTagMappingList"]
    assert sorted(one["ResourceARN"] for one in found) == sorted(arns)
    tagging.untag_resources(ResourceARNList=[arns[0]], TagKeys=["owner"])
    tagging.tag_resources(ResourceARNList=[arns[0]], Tags={"new": "y"})
    assert api.get_api(ApiId=world.api)["Tags"] == {"new": "y"}


def test_what_is_not_there_has_no_tags(world: Named) -> None:
    """Nor has what cannot have any."""
    route = world.route()
    for path in (("apis", "abcdefghij"), ("apis", world.api, "routes", route), ("vpclinks", "abcdef")):
        for call, more in ((api.get_tags, {}), (api.tag_resource, {"Tags": {"a": "b"}})):
            with refused("NotFoundException"):
                call(ResourceArn=world.arn(*path), **more)
    with refused("BadRequestException"):
        many = {str(number): "x" for number in range(51)}
        api.tag_resource(ResourceArn=world.arn("apis", world.api), Tags=many)
