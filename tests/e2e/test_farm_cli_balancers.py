"""Load balancers as the farm's user makes and asks them: `aws elbv2`, one tag, and `curl` at their addresses."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.e2e.shell import ARN, Running, eventually


def subnets(running: Running, *blocks: str) -> list[str]:
    found = running.aws("ec2", "describe-subnets", "--filters", f"Name=cidr-block,Values={','.join(blocks)}")
    return [subnet["SubnetId"] for subnet in found["Subnets"]]


@contextmanager
def balancer(running: Running, name: str, kind: str, *more: str) -> Iterator[dict[str, str]]:
    """A load balancer of the user's own, for as long as it takes."""
    made = running.aws("elbv2", "create-load-balancer", "--name", name, "--type", kind, *more)
    (described,) = made["LoadBalancers"]
    try:
        yield described
    finally:
        running.aws("elbv2", "delete-load-balancer", "--load-balancer-arn", described["LoadBalancerArn"])


def curl(url: str) -> dict[str, str]:
    """What `curl` prints; empty for no answer, or one that is no service's."""
    done = subprocess.run(
        ["curl", "--silent", "--fail", "--max-time", "5", url], capture_output=True, text=True, check=False
    )
    return json.loads(done.stdout) if done.returncode == 0 else {}


def expose(running: Running, service: str, value: str) -> None:
    arn = f"{ARN.rpartition('/')[0]}/{service}"
    running.aws("ecs", "tag-resource", "--resource-arn", arn, "--tags", f"key=expose:lb,value={value}")


def hide(running: Running, service: str) -> None:
    arn = f"{ARN.rpartition('/')[0]}/{service}"
    running.aws("ecs", "untag-resource", "--resource-arn", arn, "--tag-keys", "expose:lb")


def listening(running: Running, made: dict[str, str]) -> list[int]:
    found = running.aws("elbv2", "describe-listeners", "--load-balancer-arn", made["LoadBalancerArn"])
    return [listener["Port"] for listener in found["Listeners"]]


def test_it_suggests_a_tag_and_says_what_the_farm_needs_for_it(running: Running) -> None:
    told = "\n".join(running.told)
    assert f'--resource-arn {ARN} --tags "key=expose:lb,value=internal:8000 ' in told
    assert 'make farm ARGS="--parameter CreateLoadBalancers=any"' in told


@pytest.mark.slow
def test_a_port_of_a_network_load_balancer_of_the_users_own(running: Running) -> None:
    public = subnets(running, "127.20.0.0/20", "127.20.16.0/20")
    with balancer(
        running, "laguna", "network", "--scheme", "internet-facing", "--subnets", *public
    ) as laguna:
        expose(running, "gallina", "laguna:5432 protocol=TCP interval=5")
        eventually(lambda: len(running.dig(laguna["DNSName"])) == 2)
        addresses = running.dig(laguna["DNSName"])
        eventually(lambda: {curl(f"http://{each}:5432/").get("service") for each in addresses} == {"gallina"})
        hide(running, "gallina")
        eventually(lambda: listening(running, laguna) == [])
        assert curl(f"http://{addresses[0]}:5432/") == {}
    assert running.aws("elbv2", "describe-target-groups")["TargetGroups"] == []
    told = "\n".join(running.told)
    assert "reconcile  CreateListener laguna" in told
    assert re.search(r"reconcile +RegisterTargets expose-\w+ 127\.20\.", told)


@pytest.mark.slow
def test_a_path_of_an_application_load_balancer_of_the_users_own(running: Running) -> None:
    private = subnets(running, "127.20.128.0/20", "127.20.144.0/20")
    with balancer(running, "corral", "application", "--scheme", "internal", "--subnets", *private) as corral:
        nothing = "Type=fixed-response,FixedResponseConfig={StatusCode=404,ContentType=text/plain}"
        at = ("--load-balancer-arn", corral["LoadBalancerArn"], "--protocol", "HTTP", "--port", "8088")
        (listener,) = running.aws("elbv2", "create-listener", *at, "--default-actions", nothing)["Listeners"]
        expose(running, "conejo", "corral path=/conejo interval=5")
        address = running.dig(corral["DNSName"])[0]
        eventually(lambda: curl(f"http://{address}:8088/conejo/7").get("service") == "conejo")
        assert len({curl(f"http://{address}:8088/conejo")["task"] for _ in range(20)}) > 1
        assert curl(f"http://{address}:8088/conejos") == {}, "nor what only begins like the path"

        hide(running, "conejo")
        rules = ("elbv2", "describe-rules", "--listener-arn", listener["ListenerArn"])
        eventually(lambda: len(running.aws(*rules)["Rules"]) == 1)
        assert curl(f"http://{address}:8088/conejo") == {}
        assert listening(running, corral) == [8088]
        eventually(lambda: running.aws("elbv2", "describe-target-groups")["TargetGroups"] == [])
