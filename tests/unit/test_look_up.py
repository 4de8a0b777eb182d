"""What a mechanism has to know: asked where it is not known, and never taken for absent because nobody answered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from botocore.exceptions import ClientError

from expose.asks import Ask
from expose.deciding import Deciding
from expose.mechanisms import MECHANISMS, Lookup
from expose.mechanisms.dns import NAMESPACE, VPC
from expose.policy import Limits
from expose.records import Record
from tests.unit.values import ARN, NAME, NOW, exposure, namespace, service

GRANJA = Lookup(NAMESPACE, NAME)
SPACES = [namespace("granja.animales.com")]
THROTTLED = ClientError({"Error": {"Code": "ThrottlingException", "Message": "slow"}}, "ListNamespaces")


@dataclass
class Found:
    """What is in AWS, and what was asked of it."""

    answer: Any
    trouble: Exception | None = None
    asked: list[str] = field(default_factory=list)

    def find(self, key: str) -> Any:
        self.asked.append(key)
        if self.trouble:
            raise self.trouble
        return self.answer


def looked_up(
    namespaces: Found, *, known: Mapping[Lookup, Any], fresh: bool, limits: Limits | None = None
) -> Ask:
    deciding = Deciding(
        mechanisms=MECHANISMS,
        finders={NAMESPACE: namespaces, VPC: Found("vpc-1")},
        limits=limits or Limits(),
        stack="corral",
        empty_after=60,
        clock=lambda: NOW,
    )
    ask = Ask(Record(str(ARN), "expose:dns", NAME, found=known), exposure=exposure(), fresh=fresh)
    return deciding.look_up(ask, service(subnets=("subnet-1",)))


def test_what_is_known_is_not_asked_again_by_a_pass_that_relies_on_it() -> None:
    namespaces = Found([])

    assert looked_up(namespaces, known={GRANJA: SPACES}, fresh=False).record.found == {GRANJA: SPACES}
    assert not namespaces.asked


def test_what_is_known_is_asked_again_by_a_pass_that_relies_on_nothing() -> None:
    namespaces = Found(SPACES)

    assert looked_up(namespaces, known={GRANJA: []}, fresh=True).record.found == {GRANJA: SPACES}
    assert namespaces.asked == [NAME]


@pytest.mark.parametrize("known", [{}, {Lookup(NAMESPACE, "gallina.animales.com"): []}])
def test_what_was_never_answered_is_asked_by_any_pass(known: Mapping[Lookup, Any]) -> None:
    """Rule 4: else a name is refused that has its namespace, or a second one is made."""
    assert looked_up(Found(SPACES), known=known, fresh=False).record.found == {GRANJA: SPACES}


def test_no_namespace_at_all_is_an_answer() -> None:
    assert looked_up(Found(SPACES), known={GRANJA: []}, fresh=False).record.found == {GRANJA: []}


@pytest.mark.parametrize("fresh", [True, False])
def test_a_question_that_aws_does_not_answer_is_a_failure_and_no_answer(fresh: bool) -> None:
    ask = looked_up(Found(SPACES, THROTTLED), known={}, fresh=fresh)

    assert ask.failure is THROTTLED
    assert GRANJA not in ask.record.found
    assert not [attempt for attempt in ask.attempts if attempt.exposure]


@pytest.mark.parametrize("fresh", [True, False])
@pytest.mark.parametrize("known", [{}, {GRANJA: SPACES}])
def test_a_mechanism_that_is_not_allowed_is_refused_in_every_pass(
    known: Mapping[Lookup, Any], fresh: bool
) -> None:
    """Rule 9. Nothing is asked of AWS for it either."""
    namespaces = Found(SPACES)
    ask = looked_up(namespaces, known=known, fresh=fresh, limits=Limits(mechanisms=("lb",)))

    assert ask.refusal
    assert ask.refusal.code == "NotAllowed"
    assert not namespaces.asked
    assert not [attempt for attempt in ask.attempts if attempt.exposure]
