"""Custom domain names: lower case, with a certificate that is issued here and covers them (F§5.4)."""

from __future__ import annotations

import re

from moto.acm.models import CertBundle, acm_backends

from farm.aws import ACCOUNT
from farm.aws.apigateway.changes import telling
from farm.aws.apigateway.model import (
    Domain,
    Gateway,
    Params,
    Result,
    check_room,
    conflict,
    given,
    invalid,
    random_id,
)
from farm.aws.apigateway.paging import page

ZONE = "ZLY8HYME6SFDD"
"""The hosted zone of API Gateway's Regional names in eu-west-1, for alias records."""
_NAME = re.compile(r"(\*\.)?([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z0-9]([a-z0-9-]*[a-z0-9])?")
_MODES = {"API_MAPPING_ONLY", "ROUTING_RULE_ONLY", "ROUTING_RULE_THEN_API_MAPPING"}
_MEMBERS = ("MutualTlsAuthentication", "RoutingMode")


@telling
def create_domain_name(of: Gateway, asked: Params) -> Result:
    name = asked["DomainName"]
    if not _NAME.fullmatch(name) or len(name) > 512:
        raise invalid("Invalid domain name: it must be in lower case, without underscores")
    if name in of.domains:
        raise conflict("The domain name resource already exists.")
    check_room(of, len(of.domains), of.settings.most_domains, "Domain names", " for this account")
    settings = {
        "ApiGatewayDomainName": f"d-{random_id(10)}.execute-api.{of.region}.amazonaws.com",
        "HostedZoneId": ZONE,
        "DomainNameStatus": "AVAILABLE",
        "EndpointType": "REGIONAL",
        "SecurityPolicy": "TLS_1_2",
        "IpAddressType": "ipv4",
    }
    shown = {
        "DomainName": name,
        "DomainNameArn": of.arn("domainnames", name),
        "ApiMappingSelectionExpression": "$request.basepath",
        "RoutingMode": "API_MAPPING_ONLY",
        **given(asked, _MEMBERS),
        "DomainNameConfigurations": [_configured(of, name, settings, asked)],
    }
    _check_mode(shown)
    of.domains[name] = Domain(shown)
    of.tags[of.arn("domainnames", name)] = dict(asked.get("Tags", {}))
    return _shown(of, of.domains[name])


def get_domain_name(of: Gateway, asked: Params) -> Result:
    return _shown(of, of.domain(asked["DomainName"]))


def get_domain_names(of: Gateway, asked: Params) -> Result:
    return page(of, [_shown(of, domain) for domain in of.domains.values()], "DomainName", asked)


@telling
def update_domain_name(of: Gateway, asked: Params) -> Result:
    domain = of.domain(asked["DomainName"])
    shown = {**domain.shown, **given(asked, _MEMBERS)}
    if "DomainNameConfigurations" in asked:
        (present,) = domain.shown["DomainNameConfigurations"]
        shown["DomainNameConfigurations"] = [_configured(of, asked["DomainName"], present, asked)]
    _check_mode(shown)
    domain.shown = shown
    return _shown(of, domain)


@telling
def delete_domain_name(of: Gateway, asked: Params) -> Result:
    domain = of.domain(asked["DomainName"])
    if domain.mappings:
        raise invalid(
            f"Cannot delete domain name '{asked['DomainName']}' because it has API mappings: delete them first"
        )
    del of.domains[asked["DomainName"]]
    of.tags.pop(of.arn("domainnames", asked["DomainName"]), None)
    return {}


def _configured(of: Gateway, name: str, present: Result, asked: Params) -> Result:
    wanted = asked.get("DomainNameConfigurations", ())
    if len(wanted) != 1:
        raise invalid("Exactly one domain name configuration is needed")
    shown = {
        **present,
        **given(wanted[0], ("CertificateArn", "CertificateName", "EndpointType", "SecurityPolicy")),
    }
    if shown["EndpointType"] != "REGIONAL":
        raise invalid("Only REGIONAL endpoints are supported for HTTP APIs")
    if shown["SecurityPolicy"] != "TLS_1_2":
        raise invalid("Only TLS_1_2 is supported for HTTP APIs")
    _check_certificate(of, name, shown.get("CertificateArn", ""))
    return shown


def _check_certificate(of: Gateway, name: str, arn: str) -> None:
    certificate: CertBundle | None = acm_backends[ACCOUNT][of.region]._certificates.get(arn)
    if certificate is None:
        raise invalid(f"The provided certificate does not exist in this Region: '{arn}'")
    certificate.check()
    described = certificate.describe()["Certificate"]
    if described["Status"] != "ISSUED":
        raise invalid(f"The provided certificate is not issued: '{arn}'")
    names = {described["DomainName"], *described.get("SubjectAlternativeNames", ())}
    wildcard = f"*.{name.partition('.')[2]}"
    if not names & {name, wildcard}:
        raise invalid(f"The provided certificate does not cover the domain name '{name}'")


def _check_mode(shown: Result) -> None:
    if shown["RoutingMode"] not in _MODES:
        raise invalid(f"Invalid routing mode specified {shown['RoutingMode']}")


def _shown(of: Gateway, domain: Domain) -> Result:
    return of.tagged(domain.shown, "domainnames", domain.shown["DomainName"])
