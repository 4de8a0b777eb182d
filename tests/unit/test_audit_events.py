"""The events of the audit and of the guard have the shape that events/ shows to whoever wants to wire them."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from expose.audit.findings import Seen, findings
from expose.model import Identity, Opening, Owned
from expose.records import Record
from expose.reported import Case, announcement
from expose.verdict import Announcement, stale_withdrawn
from tests.unit.stack import ROOT
from tests.unit.values import ARN

ADDRESS, OTHER = "3.80.1.2", "3.80.1.3"


def sample(name: str) -> Any:
    return json.loads((ROOT / "events" / f"published-{name}.json").read_text())


def entry(address: str, task: str = "a", **differences: Any) -> Owned:
    return Owned(Identity("ssm.address", task), aws_id="x", task=task, address=address, **differences)


def record(*owned: Owned, **differences: Any) -> Record:
    return Record(str(ARN), "expose:ip", "8080", owned=owned, **differences)


def told(before: Record, after: Record, *, reason: str = "the policy is observe") -> Announcement | None:
    going = [each for each in before.owned if not each.leaving]
    return stale_withdrawn(before, after, going, [ADDRESS], reason=reason)


def test_a_finding_is_told_as_in_the_sample() -> None:
    world = Opening(4, "tcp", 22, 22, world=True, sources=("0.0.0.0/0",), groups=("sg-0a1b2c3d4e5f60718",))
    shown = sample("public-address-audit")
    (finding,) = findings(str(ARN), [Seen(shown["detail"]["tasks"][0], (world,), ())])
    said = announcement(Case(finding, (ADDRESS,), since=shown["detail"]["since"]), "open")

    detail = json.loads(json.dumps(said.detail))
    assert said.kind == shown["detail-type"]
    assert detail.pop("id") != ""
    assert detail == {key: value for key, value in shown["detail"].items() if key != "id"}


def test_what_was_withdrawn_is_told_as_in_the_sample() -> None:
    shown = sample("stale-address-withdrawn")
    task = shown["detail"]["tasks"][0]
    said = told(record(entry(ADDRESS, task)), record())

    assert said
    assert (said.kind, said.detail) == (shown["detail-type"], shown["detail"])


@pytest.mark.parametrize("address", [f"{ADDRESS} 2a05:d018::1", f"2a05:d018::1 {ADDRESS}"])
def test_of_several_addresses_only_the_one_that_is_astray_is_told(address: str) -> None:
    said = told(record(entry(address)), record())

    assert said
    assert said.detail["addresses"] == [ADDRESS]


def test_what_is_only_on_its_way_out_counts_as_withdrawn_and_is_told_once() -> None:
    leaving = record(entry(ADDRESS, leaving=True, operation="op"))

    assert told(record(entry(ADDRESS)), leaving)
    assert told(leaving, leaving) is None


def test_what_is_kept_is_told_once_with_the_reason() -> None:
    there = record(entry(ADDRESS), entry(OTHER, "b"))
    first = told(there, there)

    assert first
    assert (first.detail["state"], first.detail["tasks"]) == ("kept", ["a"])
    assert "the policy is observe" in first.detail["message"]
    again = replace(there, astray=(ADDRESS,))
    assert told(again, again) is None
    assert told(again, record(entry(OTHER, "b")))


def test_who_has_none_of_it_has_nothing_to_tell() -> None:
    assert told(record(entry(OTHER)), record(entry(OTHER))) is None
    assert told(record(), record()) is None
