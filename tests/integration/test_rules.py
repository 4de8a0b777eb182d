"""What must always hold (design §6), on a farm whose events behave, break, or never come."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from farm.aws import cloudmap
from farm.aws.ecs import set_health
from farm.aws.ecs.model import Task
from farm.farm import Farm
from farm.gate import GATE, Call, Fault
from tests.integration.world import WORKERS, become, instances, kept, status, writes

NAME = "conejo.granja.animales.com"


@pytest.fixture
def farm() -> Iterator[Farm]:
    with Farm.virtual() as farm:
        farm.create_namespace("granja.animales.com")
        farm.settle()
        yield farm


def publish(farm: Farm, name: str = "conejo", count: int = 4, **more: object) -> None:
    farm.create_service(name, count, tags={"expose:dns": f"{name}.granja.animales.com"}, **more)
    become(farm, "Active", name)
    farm.settle()


def tasks(farm: Farm, name: str = "conejo") -> list[Task]:
    return [farm.living.task(each["taskArn"].rsplit("/", 1)[-1]) for each in farm.tasks(name)]


def by_reconcile(call: Call) -> bool:
    return call.caller in WORKERS


class TestDeletingIsReconcilingToNothing:
    def test_when_the_tag_goes(self, farm: Farm) -> None:
        publish(farm)
        farm.untag("conejo", "expose:dns")
        farm.settle()
        self.nothing_is_left(farm)

    def test_when_the_service_goes(self, farm: Farm) -> None:
        publish(farm)
        farm.delete_service("conejo")
        farm.settle()
        self.nothing_is_left(farm)

    def test_when_the_service_goes_and_no_event_tells(self, farm: Farm) -> None:
        publish(farm)
        farm.bus.lose(lambda event: True)
        farm.delete_service("conejo")
        farm.run_for(130)
        self.nothing_is_left(farm)

    def test_when_the_stack_goes(self, farm: Farm) -> None:
        publish(farm)
        publish(farm, "gallina")
        assert farm.lambdas is not None
        farm.lambdas.delete_stack()
        farm.settle()
        assert not farm.cloudmap.list_services()["Services"]
        assert [space["Name"] for space in farm.cloudmap.list_namespaces()["Namespaces"]] == [
            "granja.animales.com"
        ]

    def nothing_is_left(self, farm: Farm) -> None:
        assert not farm.cloudmap.list_services()["Services"]
        assert farm.resolve(NAME) == []
        assert kept(farm) == []


class TestWhatCouldNotBeReadWasNotRemoved:
    @pytest.mark.parametrize("operation", ["ListTasks", "DescribeTasks", "DescribeServices"])
    def test_ecs_that_does_not_answer_shrinks_nothing(self, farm: Farm, operation: str) -> None:
        publish(farm)
        before = farm.resolve(NAME)
        GATE.faults.append(
            Fault("error", code="ServerException", service="ecs", operation=operation, where=by_reconcile)
        )
        farm.tag("conejo", {"owner": "nobody"})
        farm.run_for(200)
        assert farm.resolve(NAME) == before

    def test_a_page_that_fails_shrinks_nothing(self, farm: Farm) -> None:
        publish(farm, count=105)
        assert len(farm.resolve(NAME)) == 105
        second = Fault(
            "error",
            code="ServerException",
            operation="ListTasks",
            where=lambda call: "nextToken" in call.params and by_reconcile(call),
        )
        GATE.faults.append(second)
        farm.kill(tasks(farm)[0].id)
        farm.run_for(60)
        assert second.seen > 0
        assert len(farm.resolve(NAME)) >= 104

    def test_an_index_of_tags_that_does_not_answer_untags_nothing(self, farm: Farm) -> None:
        publish(farm)
        before = farm.resolve(NAME)
        GATE.faults.append(Fault("error", code="InternalServiceException", operation="GetResources"))
        farm.run_for(200)
        assert farm.resolve(NAME) == before


class TestAStoppedTasksAddressDoesNotStayPublished:
    def test_it_goes_with_the_first_event_before_the_task_has_stopped(self, farm: Farm) -> None:
        publish(farm)
        address, task = farm.resolve(NAME)[0], tasks(farm)[0]
        farm.stop_task(task.id)
        gone = farm.run_until(lambda: len(farm.resolve(NAME)) == 3, limit=5)
        assert gone
        assert task.last_status in {"RUNNING", "DEACTIVATING", "STOPPING"}, (
            "still serving when it was withdrawn"
        )
        del address

    def test_it_goes_at_once_when_the_task_dies_without_warning(self, farm: Farm) -> None:
        publish(farm)
        farm.kill(tasks(farm)[0].id)
        assert farm.run_until(lambda: len(farm.resolve(NAME)) == 3, limit=2)

    def test_it_goes_with_the_next_sweep_when_every_event_is_lost(self, farm: Farm) -> None:
        publish(farm)
        farm.bus.lose(lambda event: True)
        dead = farm.addresses("conejo")
        for task in tasks(farm):
            farm.kill(task.id)
        assert farm.run_until(lambda: not set(dead) & set(farm.resolve(NAME)), limit=65)
        assert farm.run_until(lambda: farm.resolve(NAME) == farm.addresses("conejo"), limit=125)

    def test_it_goes_with_the_next_sweep_when_nothing_replaces_it_either(self, farm: Farm) -> None:
        publish(farm)
        farm.bus.lose(lambda event: True)
        farm.scale("conejo", 2)
        assert farm.run_until(lambda: len(farm.resolve(NAME)) == 2, limit=65)
        assert farm.resolve(NAME) == farm.addresses("conejo")

    def test_it_goes_even_when_it_is_the_last_and_nothing_replaces_it(self, farm: Farm) -> None:
        publish(farm, count=1)
        farm.bus.lose(lambda event: event["detail"].get("lastStatus") == "RUNNING")
        farm.kill(tasks(farm)[0].id)
        assert farm.run_until(lambda: farm.resolve(NAME) == [], limit=3)

    def test_it_does_not_come_back_with_a_late_event_or_a_stale_answer(self, farm: Farm) -> None:
        publish(farm)
        task, so_far = tasks(farm)[0], len(farm.bus.log)
        running = [event for event in farm.bus.log if event["detail"].get("lastStatus") == "RUNNING"]
        farm.stop_task(task.id)
        farm.run_for(30)
        assert len(farm.bus.log) > so_far
        for event in running:
            farm.bus.emit(event["source"], event["detail-type"], event["detail"], event["resources"])
        farm.settle()
        assert f"x-{task.id}" not in instances(farm, NAME)


class TestNoSurpriseEmptiesAName:
    @pytest.fixture
    def farm(self) -> Iterator[Farm]:
        """Everything is verified every minute, and so is the health of tasks that were well."""
        with Farm.virtual(parameters={"VerifyMinutes": "1"}) as farm:
            farm.create_namespace("granja.animales.com")
            publish(farm, checked=True)
            yield farm

    def fall_ill(self, farm: Farm, *ill: Task) -> None:
        for task in ill:
            set_health(task, "UNHEALTHY")
        farm.run_for(65)

    def test_tasks_that_all_fall_ill_stay_at_first(self, farm: Farm) -> None:
        before = farm.resolve(NAME)
        self.fall_ill(farm, *tasks(farm))
        assert farm.resolve(NAME) == before

    def test_but_not_for_ever(self, farm: Farm) -> None:
        self.fall_ill(farm, *tasks(farm))
        farm.run_for(130)
        assert farm.resolve(NAME) == []

    def test_and_come_back_when_they_are_well_again(self, farm: Farm) -> None:
        before, all_tasks = farm.resolve(NAME), tasks(farm)
        self.fall_ill(farm, *all_tasks)
        farm.run_for(130)
        for task in all_tasks:
            set_health(task, "HEALTHY")
        farm.run_for(70)
        assert farm.resolve(NAME) == before

    def test_one_that_falls_ill_beside_others_goes(self, farm: Farm) -> None:
        self.fall_ill(farm, tasks(farm)[0])
        assert len(farm.resolve(NAME)) == 3


class TestOneServicesTroubleIsItsOwn:
    def test_a_service_that_cannot_be_read_delays_no_other(self, farm: Farm) -> None:
        publish(farm)
        publish(farm, "gallina")
        GATE.faults.append(
            Fault(
                "error",
                code="ThrottlingException",
                where=lambda call: "conejo" in str(call.params) and by_reconcile(call),
            )
        )
        for name in ("conejo", "gallina"):
            farm.kill(tasks(farm, name)[0].id)
        farm.run_for(20)
        assert farm.resolve("gallina.granja.animales.com") == farm.addresses("gallina")

    def test_an_exposure_that_is_broken_delays_no_other_of_its_service(self, farm: Farm) -> None:
        publish(farm)
        farm.tag("conejo", {"expose:dns:a": "nobody.nowhere.org", "expose:dns:z": "z.granja.animales.com"})
        farm.settle()
        assert status(farm, tag="expose:dns:a")["status"] == "Blocked"
        assert farm.resolve("z.granja.animales.com") == farm.addresses("conejo")

    def test_what_goes_wrong_around_one_exposure_delays_no_other_of_its_service(self, farm: Farm) -> None:
        publish(farm)
        GATE.faults.append(
            Fault(
                "error",
                code="InternalServerError",
                where=lambda call: "EXPOSURE#expose:dns:a" in str(call.params),
            )
        )
        farm.tag("conejo", {"expose:dns:a": f"a.{NAME}", "expose:dns:z": f"z.{NAME}"})
        assert farm.run_until(lambda: farm.resolve(f"z.{NAME}") == farm.addresses("conejo"), limit=50)

    def test_a_failed_operation_is_a_status_and_is_made_again(self, farm: Farm) -> None:
        cloudmap.fail_next(
            "ACCESS_DENIED", "not authorized to perform route53:ChangeResourceRecordSets", times=3
        )
        farm.create_service("conejo", 4, tags={"expose:dns": NAME})
        failed = become(farm, "Failed")
        assert "ACCESS_DENIED" in failed["message"]
        assert farm.published("Exposure Failed")
        become(farm, "Active")
        farm.settle()
        assert farm.resolve(NAME) == farm.addresses("conejo")


def test_planning_again_right_after_applying_changes_nothing(farm: Farm) -> None:
    publish(farm)
    before = len(farm.calls())
    farm.run_for(3700)  # a full verification of everything, once an hour
    assert any(call.operation == "GetService" for call in farm.calls()[before:]), "it was verified"
    assert writes(farm, before) == []


def test_drift_is_repaired_by_the_verification(farm: Farm) -> None:
    publish(farm)
    service = farm.cloudmap.list_services()["Services"][0]["Id"]
    lost = next(iter(instances(farm, NAME)))
    farm.cloudmap.deregister_instance(ServiceId=service, InstanceId=lost)
    farm.run_for(3700)
    assert lost in instances(farm, NAME)


def test_a_task_that_is_to_stop_while_it_is_being_registered_is_withdrawn_as_soon_as_that_has_ended() -> None:
    with Farm.virtual() as farm:
        farm.create_namespace("granja.animales.com")
        farm.create_service("conejo", 4)
        farm.settle()
        farm.tag("conejo", {"expose:dns": NAME})
        assert farm.run_until(lambda: len(farm.resolve(NAME)) == 4, limit=5)
        farm.stop_task(tasks(farm)[0].id)
        assert farm.run_until(lambda: len(farm.resolve(NAME)) == 3, limit=1.5)
