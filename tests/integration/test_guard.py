"""Rule 5 at its hardest: a public address that we publish and no task of ours holds goes within one sweep, whatever else
is wrong. Nobody else than the guard could find it here: ECS says that the task runs, and no event tells otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest
from moto.ec2.models import EC2Backend, ec2_backends

from farm.aws import ACCOUNT, REGION, addresses
from farm.farm import Farm
from farm.gate import GATE, USER, Fault
from tests.integration.listed import published
from tests.integration.world import become, status

SWEEP = 65  # seconds: one sweep, and what it queues
NAME = "conejo.granja.animales.com"


@contextmanager
def exposed(count: int = 2, tag: Mapping[str, str] | None = None, **setup: Any) -> Iterator[Farm]:
    with Farm.virtual(**setup) as farm:
        farm.create_service("conejo", count, tags=tag or {"expose:ip": "8080"})
        for each in tag or {"expose:ip": ""}:
            become(farm, "Active", tag=each)
        farm.run_for(20)
        yield farm


def interfaces() -> list[Any]:
    """Those of tasks, as moto keeps them."""
    return [each for each in ec2_backends[ACCOUNT][REGION].enis.values() if each.requester_managed]


def take_back(address: str) -> None:
    """AWS takes an address from a task that goes on running: the one thing that neither ECS nor an event ever says."""
    backend = ec2_backends[ACCOUNT][REGION]
    for each in interfaces():
        if each.public_ip == address:
            addresses.give_back_public(backend, address)
            each.public_ip = None
        each.ipv6_addresses = [one for one in each.ipv6_addresses if one != address]


def ours(call: Any) -> bool:
    return bool(call.caller != USER)


def withdrawn(farm: Farm) -> list[Mapping[str, Any]]:
    return [event["detail"] for event in farm.published("Stale Address Withdrawn")]


def lose_all(farm: Farm) -> None:
    farm.bus.lose(lambda event: True)


def unreadable_tag(farm: Farm) -> None:
    lose_all(farm)
    farm.tag("conejo", {"expose:ip": "eighty"})
    become(farm, "Invalid", tag="expose:ip")


def unreadable_policy(farm: Farm) -> None:
    lose_all(farm)
    farm.tag("conejo", {"expose:policy": "whatever"})
    become(farm, "Invalid", tag="expose:ip")


def ecs_fails(farm: Farm) -> None:
    GATE.faults.append(Fault("error", code="AccessDeniedException", service="ecs", where=ours))


def tags_fail(farm: Farm) -> None:
    GATE.faults.append(
        Fault("error", code="InternalServiceException", service="resourcegroupstaggingapi", where=ours)
    )


@pytest.mark.parametrize("trouble", [lose_all, unreadable_tag, unreadable_policy, ecs_fails, tags_fail])
@pytest.mark.parametrize(
    "parameters",
    [{}, {"Policy": "upsert-only"}, {"EmptyAfterSeconds": "3600"}],
    ids=["sync", "upsert-only", "EmptyAfter"],
)
def test_it_goes_within_one_sweep_whatever_is_wrong(
    trouble: Callable[[Farm], None], parameters: dict[str, str]
) -> None:
    with exposed(count=1, parameters=parameters) as farm:
        (address,) = published(farm)
        trouble(farm)
        take_back(address)
        farm.run_for(SWEEP)
        assert published(farm) == []
        (told,) = withdrawn(farm)
        assert (told["service"], told["tag"], told["state"]) == (farm.arn("conejo"), "expose:ip", "withdrawn")
        assert told["addresses"] == [address]
        assert '"StaleAddresses":[1.0]' in "".join(farm.logs["sweep"])


def test_the_others_stay_and_the_task_comes_back_with_the_address_that_it_has_then() -> None:
    with exposed(count=3) as farm:
        gone, *others = published(farm)
        theirs = next(each for each in interfaces() if each.public_ip == gone)
        take_back(gone)
        farm.run_for(SWEEP)
        assert published(farm) == others
        theirs.public_ip = addresses.take_public(ec2_backends[ACCOUNT][REGION])
        farm.run_for(SWEEP)
        assert published(farm) == sorted([*others, theirs.public_ip])
        assert len(withdrawn(farm)) == 1


def test_an_address_that_another_task_of_ours_has_by_now_is_not_held() -> None:
    """It answers, and it is the wrong one: the private address tells."""
    with exposed(count=1) as farm:
        (address,) = published(farm)
        take_back(address)
        addresses.settings().eager_reuse = True
        farm.create_service("zorro", 1)
        farm.run_until(lambda: farm.addresses("zorro") == [address], limit=20)
        ecs_fails(farm)
        farm.run_for(SWEEP)
        assert farm.addresses("zorro") == [address]
        assert published(farm) == []


def test_ipv6_goes_as_well_and_what_the_task_still_holds_comes_back() -> None:
    with exposed(count=1, ipv6=True) as farm:
        (address,), (kept,) = published(farm, family="ipv6"), published(farm)
        take_back(address)
        farm.run_for(SWEEP)
        farm.run_for(2 * SWEEP)
        (told,) = withdrawn(farm)
        assert told["addresses"] == [address]
        assert (published(farm, family="ipv6"), published(farm)) == ([], [kept])


def test_names_are_guarded_as_lists_are() -> None:
    with Farm.virtual() as farm:
        farm.create_namespace("granja.animales.com")
        farm.run_for(5)
        farm.create_service("conejo", 2, tags={"expose:dns": NAME})
        become(farm, "Active")
        gone, kept = farm.resolve(NAME)
        ecs_fails(farm)
        take_back(gone)
        farm.run_for(SWEEP + 10)
        assert farm.resolve(NAME) == [kept]
        assert [told["tag"] for told in withdrawn(farm)] == ["expose:dns"]


def test_private_addresses_are_none_of_its_business() -> None:
    with Farm.virtual() as farm:
        farm.create_namespace("granja.animales.com", "private")
        farm.run_for(5)
        farm.create_service("conejo", 2, public=False, tags={"expose:dns": NAME})
        become(farm, "Active")
        before = farm.resolve(NAME)
        seen = len(farm.calls())
        farm.run_for(3 * SWEEP)
        assert farm.resolve(NAME) == before
        assert not [call for call in farm.calls()[seen:] if (call.caller, call.service) == ("sweep", "ec2")]


def test_a_call_of_ec2_that_fails_withdraws_nothing_and_stops_no_other_part_of_the_sweep() -> None:
    with exposed() as farm:
        before = published(farm)
        lose_all(farm)
        GATE.faults.append(
            Fault(
                "error",
                code="UnauthorizedOperation",
                service="ec2",
                where=lambda call: call.caller == "sweep",
            )
        )
        farm.create_service("gallina", 1, tags={"expose:ip": "8080"})
        farm.run_for(2 * SWEEP)
        assert published(farm) == before
        assert status(farm, "gallina", "expose:ip")["status"] == "Active"
        assert "could not compare the published addresses" in "".join(farm.logs["sweep"])
        assert withdrawn(farm) == []


def test_only_observe_keeps_it_and_that_is_told_once() -> None:
    with exposed(count=1) as farm:
        (address,) = published(farm)
        farm.tag("conejo", {"expose:policy": "observe"})
        farm.run_for(10)
        take_back(address)
        farm.run_for(5 * SWEEP)
        assert published(farm) == [address]
        (told,) = withdrawn(farm)
        assert (told["state"], told["addresses"]) == ("kept", [address])
        assert "observe" in told["message"]
        farm.untag("conejo", "expose:policy")
        farm.run_for(2 * SWEEP)
        assert published(farm) == []


def test_a_withdrawal_that_fails_is_tried_again_until_it_is_done() -> None:
    with exposed(count=1) as farm:
        (address,) = published(farm)
        fault = Fault(
            "error", code="AccessDeniedException", service="ssm", operation="PutParameter", where=ours
        )
        GATE.faults.append(fault)
        take_back(address)
        farm.run_for(SWEEP)
        assert published(farm) == [address]
        assert [told["state"] for told in withdrawn(farm)] == ["kept"]
        GATE.faults.remove(fault)
        farm.run_for(SWEEP)
        assert published(farm) == []


def test_tasks_that_die_unheard_are_gone_from_the_list_within_one_sweep() -> None:
    with exposed(count=4) as farm:
        lose_all(farm)
        for task in farm.tasks("conejo"):
            farm.kill(task["taskArn"].rpartition("/")[2])
        dead = set(published(farm))
        farm.run_for(SWEEP)
        assert not dead & set(published(farm))


MANY = 6


def answering(farm: Farm, monkeypatch: pytest.MonkeyPatch, no_filter: str) -> None:
    """From now on EC2 answers, and knows of no interface where it is asked with such a filter."""
    asked = EC2Backend.get_all_network_interfaces

    def some(self: EC2Backend, eni_ids: Any = None, filters: Any = None) -> Any:
        blind = any(name.startswith(no_filter) for name in filters or {})
        return [] if blind else asked(self, eni_ids, filters)

    monkeypatch.setattr(EC2Backend, "get_all_network_interfaces", some)


@pytest.mark.parametrize(
    "no_filter", ["addresses.", "addresses.association"], ids=["nothing", "no public one"]
)
def test_one_empty_answer_of_ec2_does_not_withdraw_everything(
    no_filter: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F§10.4. Asked for the interfaces in another way it says otherwise, or ECS says that the tasks run."""
    with exposed(count=MANY) as farm:
        before = published(farm)
        assert len(before) == MANY
        answering(farm, monkeypatch, no_filter)
        farm.run_for(5 * SWEEP)
        assert published(farm) == before
        assert withdrawn(farm) == []
        assert f"nobody holds {MANY} published addresses" in "".join(farm.logs["sweep"])


@pytest.mark.parametrize("trouble", [lose_all, ecs_fails])
def test_all_of_many_that_are_gone_go_within_one_sweep_all_the_same(trouble: Callable[[Farm], None]) -> None:
    with exposed(count=MANY) as farm:
        before = published(farm)
        lose_all(farm)
        trouble(farm)
        for address in before:
            take_back(address)
        farm.run_for(SWEEP)
        assert published(farm) == []


def test_tasks_of_many_that_died_are_no_reason_to_doubt(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither EC2 nor ECS knows them any more."""
    with exposed(count=MANY) as farm:
        lose_all(farm)
        dead = published(farm)
        for task in farm.tasks("conejo"):
            farm.kill(task["taskArn"].rpartition("/")[2])
        farm.run_for(1)
        GATE.faults.append(Fault("error", code="AccessDeniedException", operation="ListTasks", where=ours))
        farm.run_for(SWEEP)
        assert not set(dead) & set(published(farm))
