"""The environment of the functions is read once, as template.yaml sets it."""

from __future__ import annotations

import pytest

from expose.policy import Apis
from expose.settings import CHOICES, PARAMETERS, Settings, setting
from tests.unit.stack import source, stack


def environment(**parameters: str) -> dict[str, str]:
    """What a function finds in a stack with these parameters."""
    found: dict[str, str] = stack(**parameters).properties("Reconcile")["Environment"]["Variables"]
    return found


def test_a_stack_that_says_nothing_of_load_balancers_allows_its_own_and_creates_none() -> None:
    read = Settings.read(environment())

    assert (read.limits.load_balancers, read.limits.create_load_balancers) == (
        ("internal", "internet-facing"),
        "no",
    )
    assert (read.subnets, read.security_groups) == ((), ())


def test_what_the_parameters_say_of_load_balancers_is_read() -> None:
    read = Settings.read(
        environment(
            AllowedLoadBalancers="internal,tg/conejo-*",
            CreateLoadBalancers="internal",
            LoadBalancerSubnets="subnet-0a1b2c3d,subnet-4e5f6a7b",
            LoadBalancerSecurityGroups="sg-0a1b2c3d",
        )
    )

    assert read.limits.load_balancers == ("internal", "tg/conejo-*")
    assert read.limits.create_load_balancers == "internal"
    assert read.subnets == ("subnet-0a1b2c3d", "subnet-4e5f6a7b")
    assert read.security_groups == ("sg-0a1b2c3d",)


def test_a_stack_that_says_nothing_of_apis_names_none_opens_none_and_makes_no_domain() -> None:
    read = Settings.read(environment())

    assert read.limits.apis == Apis(allowed=(), functions=(), issuers=(), open_routes=False)
    assert read.link_groups == ()


def test_what_the_parameters_say_of_apis_is_read() -> None:
    read = Settings.read(
        environment(
            AllowedApis="a1b2c3d4e5,f6*",
            AllowedFunctions="check-hook,auth-*",
            AllowedIssuers="https://login.system.com,eu-west-1_Ab12",
            AllowOpenRoutes="yes",
            ApiPresets="web: auth=jwt issuer=https://login.system.com audience=web+ios; staff: auth=iam",
            ApiCertificate="arn:aws:acm:eu-west-1:123456789012:certificate/0a1b",
            ApiHostedZone="Z0123456789ABC",
            CloseDefaultEndpoint="yes",
            ApiCors="https://www.system.com,https://system.com",
            ApiSecurityGroups="sg-0a1b2c3d",
            ApiVpcLinks="a1b2c3",
            ApiAccessLogs="yes",
            ApiRestTarget="load-balancer",
        )
    )

    assert read.link_groups == ("sg-0a1b2c3d",)
    assert read.links == ("a1b2c3",)
    assert read.limits.apis == Apis(
        allowed=("a1b2c3d4e5", "f6*"),
        functions=("check-hook", "auth-*"),
        issuers=("https://login.system.com", "eu-west-1_Ab12"),
        open_routes=True,
        presets={"web": "auth=jwt issuer=https://login.system.com audience=web+ios", "staff": "auth=iam"},
        certificate="arn:aws:acm:eu-west-1:123456789012:certificate/0a1b",
        zone="Z0123456789ABC",
        cors=("https://www.system.com", "https://system.com"),
        logs="arn:<AWS::Partition>:logs:<AWS::Region>:<AWS::AccountId>:log-group:<RequestLog>",
        closes_default=True,
        rest_target="load-balancer",
    )


@pytest.mark.parametrize("text", ["staff", "staff: ", "st aff: auth=iam", ": auth=iam", "a: auth=iam; b"])
def test_presets_that_are_no_list_of_names_and_terms_are_refused_by_name(text: str) -> None:
    with pytest.raises(ValueError, match="parameter ApiPresets: expected"):
        Settings.read(environment() | {"EXPOSE_API_PRESETS": text})


def test_two_presets_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="parameter ApiPresets: staff is there twice"):
        Settings.read(environment() | {"EXPOSE_API_PRESETS": "staff: auth=iam; staff: auth=none"})


def test_equal_settings_are_one_key() -> None:
    """Parts are kept by them."""
    presets = {"EXPOSE_API_PRESETS": "staff: auth=iam"}
    read = Settings.read(environment() | presets)

    assert {read: "kept"}.get(Settings.read(environment() | presets)) == "kept"
    assert {read: "kept"}.get(Settings.read(environment())) is None


@pytest.mark.parametrize("name", [name for name in environment() if name.startswith("EXPOSE_")])
def test_a_missing_variable_is_named(name: str) -> None:
    left = {each: value for each, value in environment().items() if each != name}

    with pytest.raises(KeyError, match=name):
        Settings.read(left)


def variables(value: object) -> set[str]:
    """The parameters that a variable of the template hands on as they are."""
    return {value["Ref"]} if isinstance(value, dict) and set(value) == {"Ref"} else set()


def test_every_variable_that_a_parameter_becomes_as_it_is_stands_in_one_place() -> None:
    """But for those that change nothing of what is exposed."""
    template = source()
    declared = template["Globals"]["Function"]["Environment"]["Variables"]
    handed_on = {
        parameter: name
        for name, value in declared.items()
        for parameter in variables(value)
        if parameter in template["Parameters"]
    }
    elsewhere = {
        "LogLevel",
        "GraceSeconds",
        "WindowSeconds",
        "VerifyMinutes",
        "OnDelete",
        "TrailDays",
        "GuardZones",
        "AuditAll",
    }

    assert handed_on == {**PARAMETERS, **{name: handed_on[name] for name in elsewhere}}


def test_the_choices_are_those_of_the_template() -> None:
    allowed = {name: one.get("AllowedValues") for name, one in source()["Parameters"].items()}

    assert {name: list(choices) for name, choices in CHOICES.items()} == {
        name: allowed[name] for name in PARAMETERS if allowed[name]
    }


def test_a_parameter_set_is_the_environment_of_a_stack_that_has_it() -> None:
    changed = {"AllowedNames": "example.com", "AllowOpenRoutes": "yes"}

    assert setting(environment(), changed) == environment(**changed)


@pytest.mark.parametrize(
    "changed",
    [
        {"AllowedClusters": "granja"}, {"AllowedMechanisms": "dns"}, {"AllowedNames": "a.com"}, {"AllowedApis": "a1"},
        {"AllowedLoadBalancers": "internal"}, {"AllowOpenRoutes": "yes"}, {"ApiPresets": "staff: auth=iam"},
        {"CreateNamespaces": "http"}, {"CreateLoadBalancers": "any"},
    ],
)  # fmt: skip
def test_limits_that_differ_have_another_digest_and_equal_ones_the_same(changed: dict[str, str]) -> None:
    read = Settings.read(environment(**changed)).limits

    assert read.digest == Settings.read(environment(**changed)).limits.digest
    assert read.digest != Settings.read(environment()).limits.digest
