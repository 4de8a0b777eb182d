"""Policies: `observe` only tells, `upsert-only` never deletes, `sync` does both; the stack's, or a service's own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import pytest

from farm.farm import Farm
from tests.integration.world import become, cloudmap_services, instances, logged, status, writes

SPACE = "granja.animales.com"
NAME = f"conejo.{SPACE}"
OTHER = f"liebre.{SPACE}"


@contextmanager
def living(policy: str = "sync", tags: Mapping[str, str] | None = None) -> Iterator[Farm]:
    """A farm with this policy of the stack, on which `conejo` has these tags."""
    with Farm.virtual(parameters={"Policy": policy}) as farm:
        farm.create_namespace(SPACE)
        farm.run_for(1)
        farm.create_service("conejo", 2, tags={"expose:dns": NAME, **(tags or {})})
        farm.run_for(30)
        yield farm


def kill_one(farm: Farm) -> None:
    farm.kill(farm.tasks("conejo")[0]["taskArn"].rpartition("/")[2])
    farm.run_for(30)


@pytest.mark.parametrize(("stack", "own"), [("observe", {}), ("sync", {"expose:policy": "observe"})])
def test_observe_tells_the_plan_and_changes_nothing(stack: str, own: dict[str, str]) -> None:
    with living(stack, own) as farm:
        task = farm.tasks("conejo")[0]["taskArn"].rpartition("/")[2]
        assert writes(farm) == []
        assert [item["pk"] for item in farm.ledger() if item["pk"].startswith("CLAIM#")] == []
        standing = status(farm)
        assert (standing["status"], standing["code"]) == ("Pending", "Withheld")
        for said in ("+ cloudmap.service/", "+ cloudmap.instance/", NAME, f"/x-{task}"):
            assert said in standing["message"]
            assert said in logged(farm)
        assert standing["message"] in [event["detail"]["message"] for event in farm.published()]


def test_what_is_there_stays_as_it_is_while_a_service_is_observed() -> None:
    with living() as farm:
        before = instances(farm, NAME)
        farm.tag("conejo", {"expose:policy": "observe"})
        farm.run_for(5)
        done = len(farm.calls())
        farm.tag("conejo", {"expose:dns": OTHER})
        kill_one(farm)
        farm.untag("conejo", "expose:dns")
        farm.run_for(120)
        assert writes(farm, done) == []
        assert instances(farm, NAME) == before
        farm.tag("conejo", {"expose:policy": "sync"})
        become(farm, "")
        assert cloudmap_services(farm) == {}


def test_a_service_that_is_observed_no_longer_is_exposed() -> None:
    with living("sync", {"expose:policy": "observe"}) as farm:
        assert farm.resolve(NAME) == []
        farm.untag("conejo", "expose:policy")
        become(farm, "Active")
        assert farm.resolve(NAME) == farm.addresses("conejo") != []


@pytest.mark.parametrize(("stack", "own"), [("upsert-only", {}), ("sync", {"expose:policy": "upsert-only"})])
def test_upsert_only_creates_and_changes_but_never_deletes(stack: str, own: dict[str, str]) -> None:
    with living(stack, own) as farm:
        become(farm, "Active")
        farm.tag("conejo", {"expose:dns": f"{NAME} ttl=60"})
        farm.scale("conejo", 3)
        farm.run_for(30)
        assert cloudmap_services(farm)[NAME]["DnsConfig"]["DnsRecords"] == [{"Type": "A", "TTL": 60}]
        assert farm.resolve(NAME) == farm.addresses("conejo")
        farm.tag("conejo", {"expose:dns": OTHER})
        farm.run_for(30)
        farm.untag("conejo", "expose:dns")
        farm.run_for(120)
        assert sorted(cloudmap_services(farm)) == [NAME, OTHER]
        assert farm.resolve(NAME) == farm.resolve(OTHER) == farm.addresses("conejo")
        assert {call.operation for call in writes(farm)} == {
            "CreateService",
            "UpdateService",
            "RegisterInstance",
        }
        assert status(farm)["code"] == "Withheld"


def test_sync_of_a_service_stands_above_the_stack_that_observes() -> None:
    with living("observe", {"expose:policy": "sync"}) as farm:
        become(farm, "Active")
        kill_one(farm)
        assert farm.resolve(NAME) == farm.addresses("conejo")
        farm.untag("conejo", "expose:dns")
        become(farm, "")
        assert cloudmap_services(farm) == {}


def test_a_policy_is_read_in_any_case_and_without_its_blanks() -> None:
    with living("sync", {"expose:policy": " Observe "}) as farm:
        assert writes(farm) == []
        assert status(farm)["code"] == "Withheld"
