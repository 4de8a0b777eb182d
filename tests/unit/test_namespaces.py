"""Which namespace a name falls in: the longest that fits; one of several only when told; a new one only if allowed."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations
from typing import Any

import pytest

from expose.mechanisms import MECHANISMS, Surroundings
from expose.mechanisms.dns import NAMESPACE, SERVICE
from expose.model import Identity, Resource
from expose.policy import Detail, Limits
from expose.refusals import NotYet, Refused
from tests.unit.values import ARN, NAME, exposure, namespace, service, surroundings, task

DNS = MECHANISMS["dns"]
GRANJA, ANIMALES, COM = (namespace(name) for name in ("granja.animales.com", "animales.com", "com"))
INSIDE = namespace("granja.animales.com", "private")


def desired(around: Surroundings, value: str = NAME) -> Sequence[Resource]:
    return DNS.desired(exposure(value), service(task(1)), around)


def placed(around: Surroundings, value: str = NAME) -> tuple[Any, Identity | str]:
    """The name within its namespace, and the namespace."""
    (name,) = (each for each in desired(around, value) if each.identity.kind == SERVICE)
    return name.spec["name"], name.refs["namespace"]


def refusal(around: Surroundings, value: str = NAME) -> Refused:
    with pytest.raises(Refused) as refused:
        desired(around, value)
    assert refused.value.message.startswith(f"expose:dns = {value!r}: ")
    return refused.value


def creating(kind: str, *found: Any, names: tuple[str, ...] = ("*",), **more: Any) -> Surroundings:
    return surroundings(*found, limits=Limits(names=names, create_namespaces=kind), **more)


@pytest.mark.parametrize("found", list(permutations([GRANJA, ANIMALES, COM])))
def test_the_namespace_with_the_longest_suffix_has_the_name_in_whatever_order_they_come(found: Any) -> None:
    assert placed(surroundings(*found)) == ("conejo", GRANJA["id"])


def test_a_shorter_namespace_has_the_rest_of_the_name() -> None:
    assert placed(surroundings(COM, ANIMALES)) == ("conejo.granja", ANIMALES["id"])


@pytest.mark.parametrize(
    "name", ["ranja.animales.com", "onejo.granja.animales.com", "otros.net", f"x.{NAME}"]
)
def test_a_namespace_whose_name_only_looks_like_the_end_does_not_fit(name: str) -> None:
    assert refusal(surroundings(namespace(name))).code == "NoNamespace"


def test_a_namespace_of_others_is_used_and_never_made_changed_or_deleted() -> None:
    assert all(each.identity.kind != NAMESPACE for each in desired(surroundings(GRANJA)))


@pytest.mark.parametrize("kind", ["public", "private", "http"])
def test_a_namespace_that_we_made_stays_wanted_and_is_shared(kind: str) -> None:
    ours = namespace("granja.animales.com", kind, ours=True)
    (made,) = (each for each in desired(surroundings(ours)) if each.identity.kind == NAMESPACE)

    assert made.shared
    assert made.spec == {"name": "granja.animales.com", "kind": kind}
    assert placed(surroundings(ours)) == ("conejo", made.identity)


def test_two_names_in_a_namespace_of_ours_ask_for_one_and_the_same_namespace() -> None:
    first, second = (
        next(each for each in desired(creating("http", name=name), name) if each.shared)
        for name in (NAME, "gallina.granja.animales.com")
    )
    assert first == second


@pytest.mark.parametrize(("option", "chosen"), [("ip=public", GRANJA), ("ip=private", INSIDE)])
def test_a_public_and_a_private_namespace_of_one_name_are_told_apart_by_ip(option: str, chosen: Any) -> None:
    assert placed(surroundings(INSIDE, GRANJA, ANIMALES), f"{NAME} {option}") == ("conejo", chosen["id"])


def test_the_same_name_inside_and_outside_are_two_names() -> None:
    around = surroundings(INSIDE, GRANJA)
    outside, inside = (
        {each.identity for each in desired(around, f"{NAME} ip={ip}")} for ip in ("public", "private")
    )
    assert not outside & inside


@pytest.mark.parametrize(
    ("found", "value"),
    [
        ((GRANJA, INSIDE), NAME),
        ((INSIDE, GRANJA, ANIMALES), NAME),  # and never a shorter one instead
        ((INSIDE, {**INSIDE, "id": "ns-other-vpc"}), NAME),
        ((INSIDE, {**INSIDE, "id": "ns-other-vpc"}), f"{NAME} ip=private"),
        ((INSIDE, {**INSIDE, "id": "ns-other-vpc"}), f"{NAME} ip=public"),
        ((INSIDE, namespace("granja.animales.com", "http")), f"{NAME} ip=private"),
    ],
)
def test_several_namespaces_of_one_name_are_an_error_that_lists_them(found: Any, value: str) -> None:
    refused = refusal(surroundings(*found), value)

    assert refused.code == "SeveralNamespaces"
    assert "granja.animales.com is the name of several namespaces" in refused.message
    assert all(f"{each['id']} ({each['kind']})" in refused.message for each in found if each is not ANIMALES)
    assert "say ip=public or ip=private" in refused.message


def test_without_a_namespace_nothing_is_made_unless_the_stack_says_so() -> None:
    refused = refusal(surroundings())

    assert refused.code == "NoNamespace"
    assert f"no Cloud Map namespace has a name that {NAME} ends with" in refused.message
    assert "create namespace granja.animales.com, or let the stack do it with" in refused.message
    assert "CreateNamespaces" in refused.message


@pytest.mark.parametrize(("kind", "refs"), [("http", {}), ("public", {}), ("private", {"vpc": "vpc-1"})])
def test_where_allowed_the_namespace_just_above_the_name_is_made(kind: str, refs: dict[str, str]) -> None:
    around = creating(kind, vpcs=["vpc-1"])
    claim, made, name, instance = desired(around)

    assert (made.identity, made.shared) == (Identity(NAMESPACE, f"{kind}/granja.animales.com"), True)
    assert made.refs == refs
    assert placed(around) == ("conejo", made.identity)
    assert claim.identity in name.parents
    assert instance.parents == (name.identity,)


def test_a_namespace_that_fits_is_used_before_one_is_made() -> None:
    assert placed(creating("public", ANIMALES)) == ("conejo.granja", ANIMALES["id"])


def test_a_namespace_being_made_looks_the_same_as_once_it_is_there() -> None:
    before = desired(creating("public"))
    after = desired(creating("public", {**GRANJA, "ours": True}))

    assert [(each.identity, each.fingerprint) for each in before] == [
        (each.identity, each.fingerprint) for each in after
    ]


def test_nobody_gets_a_whole_top_level_domain() -> None:
    """F§3.1: the name of a public namespace has at least one dot."""
    assert refusal(creating("public", name="animales.com"), "animales.com").code == "NoNamespace"


def test_a_private_namespace_needs_to_know_its_vpc() -> None:
    refused = refusal(creating("private"))

    assert refused.code == "NoVpc"
    assert "create namespace granja.animales.com yourself" in refused.message


def test_the_name_of_a_namespace_is_not_a_name_in_it() -> None:
    """F§3.1: Cloud Map cannot make records at the apex."""
    refused = refusal(surroundings(GRANJA, name="granja.animales.com"), "granja.animales.com")

    assert refused.code == "NoNamespace"


@pytest.mark.parametrize("around", [surroundings(GRANJA, ANIMALES, name="granja.animales.com"),
                                    creating("public", GRANJA, name="granja.animales.com")])  # fmt: skip
def test_the_name_of_a_namespace_is_not_a_name_beside_it_either(around: Surroundings) -> None:
    refusal(around, "granja.animales.com")


@pytest.mark.parametrize("kind", ["no", "public"])
def test_a_name_outside_of_the_allow_list_is_refused_whatever_namespaces_there_are(kind: str) -> None:
    refused = refusal(creating(kind, GRANJA, names=("otros.net",)))

    assert refused.code == "NotAllowed"
    assert f"{NAME!r} is not allowed here: expected one of otros.net" in refused.message


@pytest.mark.parametrize("kind", ["http", "public", "private"])
def test_a_namespace_outside_of_the_allow_list_is_not_made(kind: str) -> None:
    """Rule 9. A private zone hides every public name under it from its VPC."""
    around = creating(kind, names=("granja.animales.com",), name="granja.animales.com", vpcs=["vpc-1"])

    assert refusal(around, "granja.animales.com").code == "NotAllowed"


def test_a_name_that_comes_to_fall_into_another_namespace_is_another_service() -> None:
    before, after = (
        next(each for each in desired(surroundings(*found)) if each.identity.kind == SERVICE)
        for found in ((ANIMALES,), (ANIMALES, GRANJA))
    )
    assert before.spec["name"] != after.spec["name"]
    assert before.identity != after.identity


def test_a_name_that_is_too_long_for_its_namespace_is_refused() -> None:
    """F§3.1: the name of a Cloud Map service has at most 127 characters."""
    fits = f"{'a' * 63}.{'b' * 63}.animales.com"
    assert placed(surroundings(ANIMALES, name=fits), fits) == (f"{'a' * 63}.{'b' * 63}", ANIMALES["id"])

    refused = refusal(surroundings(ANIMALES, name=f"c.{fits}"), f"c.{fits}")
    assert "127" in refused.message


MINE, THEIRS = ARN.account, "210987654321"
TWINS = [
    namespace("granja.animales.com", "private", id=f"ns-{vpc}", vpcs=[vpc], owner=MINE, later=later)
    for vpc, later in (("vpc-1", False), ("vpc-2", True))
]


@pytest.mark.parametrize("spaces", list(permutations(TWINS)))
@pytest.mark.parametrize("vpc", ["vpc-1", "vpc-2"])
def test_of_private_namespaces_of_one_name_that_in_the_vpc_of_the_tasks_is_meant(
    spaces: Sequence[Any], vpc: str
) -> None:
    found = DNS.desired(exposure(), service(task(1, vpc=vpc)), surroundings(*spaces))

    (name,) = (each for each in found if each.identity.kind == SERVICE)
    assert name.refs["namespace"] == f"ns-{vpc}"
    (claim,) = (each.identity.key for each in found if each.identity.kind == "claim")
    zone = {"vpc-1": "private", "vpc-2": "private/ns-vpc-2"}[vpc]
    assert claim == f"dns/{zone}/{NAME}", "each has the name for itself, and the first one goes on having it"


def test_the_first_task_tells_which_is_meant_and_one_elsewhere_is_none_of_them() -> None:
    around = surroundings(*TWINS)
    with pytest.raises(NotYet, match="the VPC of the first task will tell"):
        DNS.desired(exposure(), service(), around)
    with pytest.raises(Refused, match="ns-vpc-1 \\(private\\), ns-vpc-2 \\(private\\)"):
        DNS.desired(exposure(), service(task(1, vpc="vpc-3")), around)
    assert DNS.detail(exposure(), around) is Detail.PUBLIC, "an interface tells the VPC"
    assert DNS.detail(exposure(), surroundings(TWINS[0])) is Detail.PRIVATE


def test_a_namespace_that_another_account_shares_is_refused_by_name() -> None:
    theirs = namespace("granja.animales.com", "private", owner=THEIRS, ours=True)

    refused = refusal(surroundings(theirs))

    assert refused.code == "SharedNamespace"
    assert f"namespace granja.animales.com belongs to account {THEIRS}" in refused.message
    mine = namespace("granja.animales.com", "private", owner=MINE, id="ns-mine")
    assert placed(surroundings(theirs, mine)) == ("conejo", "ns-mine")
    assert refusal(surroundings(theirs, namespace("animales.com", owner=MINE))).code == "SharedNamespace"
