"""Load balancers carry real requests to real tasks, and follow what the account says of them (F§4)."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from farm.balancers import tls
from farm.balancers.routing import Request
from farm.farm import Farm
from farm.pace import FAST
from tests.integration.entrances import (
    NAME,
    PATIENCE,
    eventually,
    get,
    group_of,
    healthy,
    listening,
    places,
    route,
)


@pytest.fixture(scope="module")
def farm() -> Iterator[Farm]:
    """Two services of two tasks, on the wall clock."""
    with Farm.wall(deploy=False, pace=FAST) as farm:
        for name in ("conejo", "gallina"):
            farm.create_service(name, 2)
        eventually(lambda: len(places(farm, "conejo") + places(farm, "gallina")) == 4)
        yield farm


def test_one_balancer_serves_two_services_by_path(farm: Farm) -> None:
    conejo, gallina = group_of(farm, "conejo", "path-c"), group_of(farm, "gallina", "path-g")
    farm.create_balancer("by-path")
    listening(farm, "by-path")
    assert get(farm, "by-path", "/conejo") == 404
    route(farm, "by-path", "/conejo", (conejo, 1))
    rule = route(farm, "by-path", "/gallina", (gallina, 1), priority=20)
    assert get(farm, "by-path", "/conejo") == 503  # nobody is ready yet
    healthy(farm, conejo, gallina)
    page = get(farm, "by-path", "/conejo/1?x=y")
    assert (page["service"], page["method"], page["path"]) == ("conejo", "GET", "/conejo/1?x=y")
    assert page["x-forwarded-proto"] == "http"
    assert page["x-forwarded-port"] == "80"
    assert page["x-forwarded-for"].startswith("127.")
    assert get(farm, "by-path", "/gallina")["service"] == "gallina"
    farm.elb.delete_rule(RuleArn=rule)
    assert get(farm, "by-path", "/gallina") == 404


def test_weights_split_real_requests(farm: Farm) -> None:
    conejo, gallina = group_of(farm, "conejo", "weight-c"), group_of(farm, "gallina", "weight-g")
    farm.create_balancer("weights")
    route(farm, "weights", "/", (conejo, 80), (gallina, 20))
    listening(farm, "weights")
    healthy(farm, conejo, gallina)
    with farm.traffic("weights", per_second=200) as traffic:
        eventually(lambda: traffic.sent >= 500)
    assert not traffic.lost
    assert traffic.answered["gallina"] / traffic.sent == pytest.approx(0.2, abs=0.03)


def test_https_ends_at_the_balancer_with_the_certificate_of_acm(farm: Farm) -> None:
    certificate = farm.request_certificate(NAME)
    group = group_of(farm, "conejo", "secure")
    farm.create_balancer("secure", listeners=[(443, "HTTPS")], certificate=certificate, group=group)
    listening(farm, "secure", 443)
    healthy(farm, group)
    with farm.traffic("secure", 443, Request(host=NAME), per_second=50, certificate=certificate) as traffic:
        eventually(lambda: traffic.sent >= 10)
    assert not traffic.lost
    trusting = tls.trusting(certificate)
    trusting.check_hostname = False
    assert get(farm, "secure", port=443, context=trusting)["x-forwarded-proto"] == "https"
    with farm.traffic("secure", 443, Request(host="other.example"), certificate=certificate) as misled:
        eventually(lambda: misled.sent >= 1)
    assert set(misled.reasons) == {"tls"}


def test_a_network_balancer_passes_connections_on_and_ends_tls(farm: Farm) -> None:
    certificate = farm.request_certificate(NAME)
    group = group_of(farm, "conejo", "network", protocol="TCP")
    farm.create_balancer(
        "network",
        type="network",
        scheme="internet-facing",
        listeners=[(9000, "TCP"), (9443, "TLS")],
        certificate=certificate,
        group=group,
    )
    listening(farm, "network", 9443)
    healthy(farm, group)
    address, _ = farm.reach("network", 9000)
    assert address.startswith("127.30.")
    page = get(farm, "network", "/as/it/is", 9000)
    assert page["path"] == "/as/it/is"
    assert "x-forwarded-for" not in page
    trusting = tls.trusting(certificate)
    trusting.check_hostname = False
    assert get(farm, "network", port=9443, context=trusting)["service"] == "conejo"
    farm.elb.delete_listener(ListenerArn=farm.listener_arn("network", 9000))
    eventually(lambda: not farm.doors("network", 9000))
    with pytest.raises(OSError, match="refused"):
        socket.create_connection((address, 9000), timeout=PATIENCE).close()


def test_a_balancer_is_found_by_its_name_in_dns(farm: Farm) -> None:
    farm.create_balancer("named")
    listening(farm, "named")
    (described,) = farm.elb.describe_load_balancers(Names=["named"])["LoadBalancers"]
    name = described["DNSName"]
    assert farm.reach(name, 80) == farm.reach("named", 80)
    assert farm.dig(name) == sorted(address for address, _ in farm.doors("named", 80))
    farm.elb.delete_load_balancer(LoadBalancerArn=described["LoadBalancerArn"])
    eventually(lambda: farm.dig(name) == farm.doors("named", 80) == [])
    with pytest.raises(LookupError, match="nothing listens at port 80"):
        farm.reach("named", 80)


def test_a_port_that_only_root_may_bind_is_at_another(farm: Farm, monkeypatch: pytest.MonkeyPatch) -> None:
    start_server = asyncio.start_server

    async def as_anybody(carry: Any, address: str, port: int, **more: Any) -> asyncio.Server:
        if port < 1024:
            raise PermissionError(errno.EACCES, "Permission denied")
        return await start_server(carry, address, port, **more)

    monkeypatch.setattr(asyncio, "start_server", as_anybody)
    farm.create_balancer("humble")
    listening(farm, "humble")
    assert farm.reach("humble", 80)[1] == 8080
    assert get(farm, "humble") == 404
