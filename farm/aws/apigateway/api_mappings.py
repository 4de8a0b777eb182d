"""API mappings: which stage answers under which path of a domain name (F§5.4)."""

from __future__ import annotations

import re

from farm.aws.apigateway.changes import telling
from farm.aws.apigateway.model import (
    Domain,
    Gateway,
    Params,
    Result,
    check_room,
    conflict,
    find,
    given,
    invalid,
    random_id,
)
from farm.aws.apigateway.paging import page

_KEY = re.compile(r"[A-Za-z0-9$\-_.+!*'()/]{0,300}")
_MEMBERS = ("ApiId", "ApiMappingKey", "Stage")
_MOST_MULTI_LEVEL = 200


@telling
def create_api_mapping(of: Gateway, asked: Params) -> Result:
    domain = of.domain(asked["DomainName"])
    shown = {"ApiMappingKey": "", **given(asked, _MEMBERS)}
    _check(of, domain, shown)
    deep = sum("/" in one["ApiMappingKey"] for one in domain.mappings.values())
    if "/" in shown["ApiMappingKey"]:
        check_room(of, deep, _MOST_MULTI_LEVEL, "multi-level API mappings", " for this domain name")
    shown["ApiMappingId"] = random_id(6)
    domain.mappings[shown["ApiMappingId"]] = shown
    return shown


def get_api_mapping(of: Gateway, asked: Params) -> Result:
    return find("ApiMapping", of.domain(asked["DomainName"]).mappings, asked["ApiMappingId"])


def get_api_mappings(of: Gateway, asked: Params) -> Result:
    return page(of, of.domain(asked["DomainName"]).mappings.values(), "ApiMappingId", asked)


@telling
def update_api_mapping(of: Gateway, asked: Params) -> Result:
    domain, identity = of.domain(asked["DomainName"]), asked["ApiMappingId"]
    shown = {**find("ApiMapping", domain.mappings, identity), **given(asked, _MEMBERS)}
    _check(of, domain, shown)
    domain.mappings[identity] = shown
    return shown


@telling
def delete_api_mapping(of: Gateway, asked: Params) -> Result:
    domain, identity = of.domain(asked["DomainName"]), asked["ApiMappingId"]
    find("ApiMapping", domain.mappings, identity)
    del domain.mappings[identity]
    return {}


def _check(of: Gateway, domain: Domain, shown: Result) -> None:
    key = shown["ApiMappingKey"]
    if not _KEY.fullmatch(key):
        raise invalid("API mapping key has characters that it must not have, or more than 300")
    if key.startswith("/") or "//" in key:
        raise invalid("API mapping key should not start with a '/' or have consecutive '/'s.")
    if key.endswith("/"):
        raise invalid("API mapping key should not end with a '/'.")
    find("Stage", of.api(shown).stages, shown["Stage"])
    for one in domain.mappings.values():
        if one["ApiMappingKey"] == key and one["ApiMappingId"] != shown.get("ApiMappingId"):
            raise conflict("ApiMapping key already exists for this domain name")
