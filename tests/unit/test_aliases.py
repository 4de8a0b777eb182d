"""A record is deleted by saying what we wrote: what says anything else stays, and is let go of."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from expose.aws import Clients
from expose.model import Identity, Owned, Resource
from expose.refusals import NotYet
from expose.resources.apigateway import Aliases

ZONE, HOST, ALIAS, ITS_ZONE = (
    "Z0ABC",
    "api1.system.com",
    "d-1.execute-api.eu-west-1.amazonaws.com",
    "Z2GATEWAY",
)
OWNED = Owned(Identity("route53.alias", f"{ZONE}/{HOST}"))
NEW, OLD = f"{ZONE}/{HOST}/{ALIAS}/{ITS_ZONE}", f"{ZONE}/{HOST}"
WRITTEN = {
    "Name": HOST,
    "Type": "A",
    "AliasTarget": {"DNSName": ALIAS, "HostedZoneId": ITS_ZONE, "EvaluateTargetHealth": False},
}
DELETION: dict[str, Any] = {
    "HostedZoneId": ZONE,
    "ChangeBatch": {"Changes": [{"Action": "DELETE", "ResourceRecordSet": WRITTEN}]},
}
TAKEN: dict[str, Any] = {
    "ChangeInfo": {"Id": "C1", "Status": "PENDING", "SubmittedAt": "2026-11-28T00:00:00Z"}
}


@pytest.fixture
def aws() -> Iterator[tuple[Aliases, Stubber, Stubber]]:
    clients = Clients()
    route53, gateway = (boto3.client(name, "eu-west-1") for name in ("route53", "apigatewayv2"))
    vars(clients).update(route53=route53, apigatewayv2=gateway)
    with Stubber(route53) as records, Stubber(gateway) as domains:
        yield Aliases(clients), records, domains


def delete(aliases: Aliases, aws_id: str = NEW) -> str:
    return aliases.delete(OWNED, aws_id, {}, "corral/granja/conejo/expose:api")


def test_it_is_deleted_as_it_was_written_whatever_became_of_its_domain(
    aws: tuple[Aliases, Stubber, Stubber],
) -> None:
    aliases, records, _ = aws
    records.add_response("change_resource_record_sets", TAKEN, DELETION)

    assert delete(aliases) == ""
    records.assert_no_pending_responses()


@pytest.mark.parametrize("found", ["it was not found", "the values provided do not match the current values"])
def test_what_does_not_say_that_is_let_go_of(aws: tuple[Aliases, Stubber, Stubber], found: str) -> None:
    aliases, records, _ = aws
    said = f"[Tried to delete resource record set [name='{HOST}.', type='A'] but {found}]"
    records.add_client_error("change_resource_record_sets", "InvalidChangeBatch", said)

    assert delete(aliases) == ""


def test_another_refusal_is_no_answer(aws: tuple[Aliases, Stubber, Stubber]) -> None:
    aliases, records, _ = aws
    records.add_client_error("change_resource_record_sets", "InvalidChangeBatch", "[something else]")

    with pytest.raises(NotYet):
        delete(aliases)


def test_one_of_before_ids_said_what_was_written_is_deleted_as_it_would_be_written(
    aws: tuple[Aliases, Stubber, Stubber],
) -> None:
    aliases, records, domains = aws
    configuration = {"ApiGatewayDomainName": ALIAS, "HostedZoneId": ITS_ZONE}
    domains.add_response("get_domain_name", {"DomainNameConfigurations": [configuration]})
    records.add_response("change_resource_record_sets", TAKEN, DELETION)

    assert delete(aliases, OLD) == ""
    records.assert_no_pending_responses()


def test_nothing_is_deleted_where_nobody_knows_what_was_written(
    aws: tuple[Aliases, Stubber, Stubber],
) -> None:
    aliases, _, domains = aws
    domains.add_client_error("get_domain_name", "NotFoundException")

    assert delete(aliases, OLD) == ""


def test_one_whose_domain_was_made_anew_is_exchanged_in_one_step(
    aws: tuple[Aliases, Stubber, Stubber],
) -> None:
    aliases, records, domains = aws
    moved = {"ApiGatewayDomainName": "d-2.execute-api.eu-west-1.amazonaws.com", "HostedZoneId": ITS_ZONE}
    domains.add_response("get_domain_name", {"DomainNameConfigurations": [moved]})
    there = {**WRITTEN, "Name": f"{HOST}.", "AliasTarget": {**WRITTEN["AliasTarget"], "DNSName": f"{ALIAS}."}}
    records.add_response(
        "list_resource_record_sets", {"ResourceRecordSets": [there], "IsTruncated": False, "MaxItems": "1"}
    )
    wanted = {**WRITTEN, "AliasTarget": {**WRITTEN["AliasTarget"], "DNSName": moved["ApiGatewayDomainName"]}}
    both = [
        {"Action": "DELETE", "ResourceRecordSet": WRITTEN},
        {"Action": "CREATE", "ResourceRecordSet": wanted},
    ]
    records.add_response(
        "change_resource_record_sets", TAKEN, {"HostedZoneId": ZONE, "ChangeBatch": {"Changes": both}}
    )
    resource = Resource(OWNED.identity, spec={"zone": ZONE, "name": HOST})

    made = aliases.update(resource, NEW, {}, "")

    assert made.aws_id == f"{ZONE}/{HOST}/{moved['ApiGatewayDomainName']}/{ITS_ZONE}"
