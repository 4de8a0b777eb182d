"""One item of the ledger that cannot be read is its exposure's trouble and nobody else's; nor is one of a newer version
anybody's. What could not be read was not removed.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from farm.custom import DeploymentError
from farm.farm import Farm
from tests.integration.commands import expose
from tests.integration.commands import told as explained
from tests.integration.listed import published
from tests.integration.test_auditor import audit, audited, let_in
from tests.integration.test_guard import lose_all, take_back
from tests.integration.world import become, instances
from tests.ledgers import first
from tests.ledgers.written import write

SWEEP = 65
NAME = "conejo.granja.animales.com"
THEIRS = "gallina.granja.animales.com"
LIST = "/expose/ecs-expose/granja/zorro"


@pytest.fixture
def farm() -> Iterator[Farm]:
    """`conejo` has two exposures; `gallina` and `zorro` are its neighbours."""
    with Farm.virtual(parameters={"GraceSeconds": "0", "VerifyMinutes": "2"}) as farm:
        farm.create_namespace("granja.animales.com")
        farm.run_for(5)
        farm.create_service("conejo", 2, tags={"expose:dns": NAME, "expose:ip": "8080"})
        farm.create_service("gallina", 2, tags={"expose:dns": THEIRS})
        farm.create_service("zorro", 2, tags={"expose:ip": "8080"})
        for service, tag in (("conejo", "dns"), ("conejo", "ip"), ("gallina", "dns"), ("zorro", "ip")):
            become(farm, "Active", service, f"expose:{tag}")
        farm.run_for(20)
        yield farm


def item(farm: Farm, service: str, sk: str) -> Any:
    key = {"pk": {"S": f"SERVICE#{farm.arn(service)}"}, "sk": {"S": sk}}
    return farm.client("dynamodb").get_item(TableName=_table(farm), Key=key).get("Item")


def rewrite(farm: Farm, service: str, sk: str, change: Callable[[Any], bytes]) -> None:
    """As a newer version, or an accident, would have left the body of an item; `change` gets the JSON."""
    found = item(farm, service, sk)
    tree = json.loads(zlib.decompressobj().decompress(found["body"]["B"]))
    body = {"B": change(tree)}
    farm.client("dynamodb").put_item(TableName=_table(farm), Item=found | {"body": body})


def _table(farm: Farm) -> str:
    assert farm.lambdas is not None
    return farm.lambdas.deployment.ref("Ledger")


def damaged(tree: Any) -> bytes:
    return b"not what anybody wrote"


def newer(tree: Any) -> bytes:
    """With fields that we do not know, at all levels, in both streams; and all else as it was."""
    tree["zone_hint"] = "Z1"
    for entry in tree["owned"] if "owned" in tree else tree["service"]["tasks"]:
        entry["colour"] = "blue"
    more = {"schema": 3, "fields": {"": {"later": [1, 2]}}}
    return b"".join(zlib.compress(json.dumps(each).encode()) for each in (tree, more))


def lose_a_task(farm: Farm, *services: str) -> None:
    lose_all(farm)
    for service in services:
        farm.kill(farm.tasks(service)[0]["taskArn"].rpartition("/")[2])


def failures(farm: Farm) -> list[Any]:
    assert farm.lambdas is not None
    return farm.lambdas.failures


@pytest.mark.parametrize("sk", ["EXPOSURE#expose:dns", "SERVICE"])
@pytest.mark.parametrize("change", [damaged, newer])
def test_the_sweep_and_the_guard_go_on_for_all_others(
    farm: Farm, change: Callable[[Any], bytes], sk: str
) -> None:
    rewrite(farm, "conejo", sk, change)
    lose_a_task(farm, "gallina", "zorro")
    farm.run_for(2 * SWEEP)
    assert farm.resolve(THEIRS) == sorted(farm.addresses("gallina"))
    gone, kept = published(farm, LIST)
    take_back(gone)
    farm.run_for(SWEEP)
    assert published(farm, LIST) == [kept]
    farm.run_for(4 * SWEEP)
    assert failures(farm) == []


def test_the_other_exposures_of_the_service_go_on_and_this_one_is_left_alone(farm: Farm) -> None:
    rewrite(farm, "conejo", "EXPOSURE#expose:dns", damaged)
    before, there = item(farm, "conejo", "EXPOSURE#expose:dns"), instances(farm, NAME)
    lose_a_task(farm, "conejo")
    farm.run_for(4 * SWEEP)
    assert published(farm) == sorted(farm.addresses("conejo"))
    assert instances(farm, NAME) == there
    assert item(farm, "conejo", "EXPOSURE#expose:dns")["body"] == before["body"]
    farm.untag("conejo", "expose:dns")
    farm.delete_service("conejo")
    farm.run_for(4 * SWEEP)
    assert published(farm) == []
    assert instances(farm, NAME) == there  # what could not be read was not removed
    assert item(farm, "conejo", "EXPOSURE#expose:dns")["body"] == before["body"]
    assert failures(farm) == []


def test_what_it_made_belongs_to_nobody_only_as_far_as_one_can_read(farm: Farm) -> None:
    """Neither it nor what several share is told as an orphan, and what another exposure has lost still is."""
    rewrite(farm, "conejo", "EXPOSURE#expose:dns", damaged)
    there = instances(farm, NAME)
    farm.run_for(1800)
    told = farm.published("Public Address Audit")
    assert [each for each in told if each["detail"]["kind"] == "orphan"] == []
    assert instances(farm, NAME) == there
    lose_all(farm)
    for sk in ("EXPOSURE#expose:dns", "SERVICE"):
        key = {"pk": {"S": f"SERVICE#{farm.arn('gallina')}"}, "sk": {"S": sk}}
        farm.client("dynamodb").delete_item(TableName=_table(farm), Key=key)
    farm.untag("gallina", "expose:dns")
    farm.run_for(1800)
    assert instances(farm, THEIRS) == {}
    assert instances(farm, NAME) == there
    assert failures(farm) == []


def test_a_stop_event_withdraws_from_the_other_exposures_at_once(farm: Farm) -> None:
    rewrite(farm, "conejo", "EXPOSURE#expose:dns", damaged)
    before = published(farm)
    farm.kill(farm.tasks("conejo")[0]["taskArn"].rpartition("/")[2])
    farm.run_for(2)
    assert published(farm) != before
    assert set(published(farm)) <= set(farm.addresses("conejo"))


@pytest.mark.parametrize("sk", ["EXPOSURE#expose:dns", "SERVICE"])
def test_what_a_newer_version_wrote_is_still_there_after_we_have_written(farm: Farm, sk: str) -> None:
    rewrite(farm, "conejo", sk, newer)
    rev = item(farm, "conejo", sk)["rev"]
    farm.kill(farm.tasks("conejo")[0]["taskArn"].rpartition("/")[2])
    farm.run_for(4 * SWEEP)
    assert farm.resolve(NAME) == sorted(farm.addresses("conejo"))
    found = item(farm, "conejo", sk)
    assert found["rev"] != rev
    reader = zlib.decompressobj()
    tree = json.loads(reader.decompress(found["body"]["B"]))
    assert tree["zone_hint"] == "Z1"
    assert json.loads(zlib.decompress(reader.unused_data))["fields"][""]["later"] == [1, 2]
    entries = tree["owned"] if sk != "SERVICE" else tree["service"]["tasks"]
    assert {each.get("colour") for each in entries} == {"blue", None}  # what came since has none


def test_a_memory_that_cannot_be_read_is_made_anew_and_nothing_is_withdrawn_for_it(farm: Farm) -> None:
    before = farm.resolve(NAME), published(farm)
    rewrite(farm, "conejo", "SERVICE", damaged)
    farm.run_for(2 * SWEEP)
    assert (farm.resolve(NAME), published(farm)) == before
    tree = json.loads(zlib.decompressobj().decompress(item(farm, "conejo", "SERVICE")["body"]["B"]))
    assert {each["id"] for each in tree["service"]["tasks"]} == {
        task["taskArn"].rpartition("/")[2] for task in farm.tasks("conejo")
    }


def test_the_command_line_shows_it_and_all_others(farm: Farm) -> None:
    rewrite(farm, "conejo", "EXPOSURE#expose:dns", damaged)
    answer = expose(farm, "status", "--json")
    assert answer.status == 1
    found = {(each["service"].rpartition("/")[2], each["tag"]): each for each in answer.document}
    assert [each["status"] for each in found.values()].count("Active") == 3
    unreadable = found["conejo", "expose:dns"]
    assert (unreadable["status"], unreadable["code"]) == ("Failed", "UnreadableRecord")
    assert "deploy that version again" in expose(farm, "status").words
    code, dns = explained(farm, "conejo")
    assert (code, dns["code"]) == (1, "UnreadableRecord")
    assert explained(farm, "conejo", "expose:ip")[1]["obstacles"] == []


def test_the_end_of_the_stack_withdraws_all_others_and_says_what_is_left(farm: Farm) -> None:
    rewrite(farm, "conejo", "EXPOSURE#expose:dns", damaged)
    there = instances(farm, NAME)
    with pytest.raises(DeploymentError, match=r"granja/conejo expose:dns \(its record cannot be read"):
        farm.delete_stack()
    assert (published(farm), published(farm, LIST), farm.resolve(THEIRS)) == ([], [], [])
    assert instances(farm, NAME) == there


def test_the_audit_closes_nothing_of_a_service_that_it_could_not_read() -> None:
    with audited() as farm:
        let_in(farm, 22)
        assert {each["state"] for each in audit(farm)} == {"open"}
        rewrite(farm, "conejo", "EXPOSURE#expose:ip", damaged)
        assert audit(farm) == []


def test_findings_that_cannot_be_read_are_told_anew() -> None:
    with audited() as farm:
        let_in(farm, 22)
        before = audit(farm)
        key = {"pk": {"S": f"AUDIT#{farm.arn('conejo')}"}, "sk": {"S": "AUDIT"}}
        farm.client("dynamodb").put_item(TableName=_table(farm), Item=key | {"body": {"S": '{"cases":5}'}})
        assert [each["id"] for each in audit(farm)] == [each["id"] for each in before]
        assert audit(farm) == []
        assert "cannot be read, and is told anew" in "".join(farm.logs["audit"])


@pytest.mark.slow
def test_what_is_written_now_is_read_by_the_first_reader() -> None:
    """With every mechanism, refusals, and changes under way."""
    found = write()
    memories = [first.load_memory(each["body"]["B"]) for each in found if each["sk"]["S"] == "SERVICE"]
    records = [
        first.load_record(each["body"]["B"]) for each in found if each["sk"]["S"].startswith("EXPOSURE#")
    ]
    assert len(memories) == 5
    assert {entry.identity.kind.partition(".")[0] for record in records for entry in record.owned} == {
        *("apigw", "claim", "cloudmap", "elb", "rest", "ssm")
    }
