"""template.yaml's parameters: each says what it takes, refuses the rest, and reaches the functions."""

from __future__ import annotations

import re

import pytest

from tests.unit.stack import FUNCTIONS, Stack, source, stack, tokens


@pytest.fixture(scope="module")
def deployed() -> Stack:
    return stack()


@pytest.mark.parametrize("name", source()["Parameters"])
def test_a_parameter_says_what_it_is_and_refuses_the_rest(name: str) -> None:
    parameter = source()["Parameters"][name]

    assert len(parameter["Description"]) > 20
    assert parameter["ConstraintDescription"]
    bounds = {"AllowedValues", "AllowedPattern", "MinValue"} & set(parameter)
    assert bounds
    assert ("MinValue" in parameter) == ("MaxValue" in parameter)
    assert all(isinstance(value, str) for value in parameter.get("AllowedValues", []))  # `no` is a word


def test_every_parameter_is_grouped_labelled_and_used() -> None:
    interface = source()["Metadata"]["AWS::CloudFormation::Interface"]
    grouped = [name for group in interface["ParameterGroups"] for name in group["Parameters"]]
    rest = {name: part for name, part in source().items() if name not in {"Parameters", "Metadata"}}

    assert sorted(grouped) == sorted(interface["ParameterLabels"]) == sorted(source()["Parameters"])
    assert set(source()["Parameters"]) <= set(re.findall(r"\w+", " ".join(tokens(rest))))


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("TagPrefix", ["expose", "x", "granja-1"], ["aws", "Expose", "1x", "a:b", "", "a" * 33]),
        ("AllowedClusters", ["*", "granja", "granja,prod-*"], ["", "granja, prod", "a/b", "granja,"]),
        ("AllowedMechanisms", ["*", "dns", "dns,ip"], ["", "nds", "dns, ip", "*,dns"]),
        (
            "AllowedNames",
            ["*", "animales.com", "animales.com,a_b.c"],
            ["", "*.com", "Animales.com", "a.b ", ".a.b", "a.b."],
        ),
        (
            "AllowedLoadBalancers",
            ["*", "internal", "internet-facing,granja-*", "tg/*", "granja-a?b,tg/conejo-*"],
            ["", "a, b", "a/b", "tg/", "tg/a/b", "xtg/a", "a,", "a_b"],
        ),
        (
            "LoadBalancerSubnets",
            ["", "subnet-0a1b2c3d", "subnet-0123456789abcdef0,subnet-0a1b2c3d"],
            ["*", "subnet-", "sg-0a1b2c3d", "subnet-0a1b2c3d, subnet-0a1b2c3e", "subnet-0a1b2c3d,"],
        ),
        (
            "LoadBalancerSecurityGroups",
            ["", "sg-0a1b2c3d", "sg-0123456789abcdef0,sg-0a1b2c3d"],
            ["*", "sg-", "subnet-0a1b2c3d", "sg-0a1b2c3d sg-0a1b2c3e", "default"],
        ),
        ("AllowedApis", ["", "*", "a1b2c3d4e5", "a1b2c3d4e5,f6*"], ["a1, b2", "A1", "a/b", "a1,"]),
        (
            "AllowedFunctions",
            ["", "*", "check-hook", "check_hook,auth-*", "a?"],
            ["a, b", "a,", "arn:aws:lambda:eu-west-1:123456789012:function:a", "a:b", "a/b"],
        ),
        (
            "AllowedIssuers",
            [
                *(
                    "",
                    "*",
                    "https://login.system.com",
                    "https://login.system.com:8443/a/b=c,https://*.b.com/*",
                ),
                *("eu-west-1_Ab12Cd34", "us-east-1_*,https://login.system.com/", "*,https://a.com"),
            ],
            [
                "http://a.com",
                "login.system.com",
                "https://a.com, https://b.com",
                "https://a@b.com",
                "Ab12",
                "https://",
            ],
        ),
        (
            "ApiPresets",
            [
                "",
                "staff: auth=iam",
                "web: auth=jwt issuer=https://login.system.com audience=web+ios; staff: auth=cognito pool=a_b",
                "web: issuer=https://login.system.com auth=jwt audience=web",
            ],
            [
                "staff",
                "staff:",
                "staff: iam",
                "a: auth=iam; b",
                "st aff: auth=iam",
                "a: auth=iam;",
                "a: noauth=x",
            ],
        ),
        (
            "ApiCertificate",
            ["", "arn:aws:acm:eu-west-1:123456789012:certificate/0a1b2c3d-1111-2222-3333-0a1b2c3d4e5f"],
            ["*", "0a1b2c3d", "arn:aws:iam::123456789012:server-certificate/a"],
        ),
        ("ApiHostedZone", ["", "Z0123456789ABC"], ["system.com", "*", "/hostedzone/Z0123456789ABC", "z012"]),
        (
            "ApiCors",
            ["", "*", "https://www.system.com", "https://www.system.com,https://localhost:8443"],
            [
                "www.system.com",
                "http://a.com",
                "*,https://a.com",
                "https://a.com/",
                "https://a.com, https://b.com",
            ],
        ),
        ("ApiVpcLinks", ["", "a1b2c3", "a1b2c3,d4e5f6"], ["*", "A1b2c3", "a1b2c3, d4e5f6"]),
        ("ApiSecurityGroups", ["", "sg-0a1b2c3d"], ["*", "default", "sg-0a1b2c3d sg-0a1b2c3e"]),
        ("GuardZones", ["", "Z0123456789ABC", "Z0123456789ABC,Z0DEF"], ["*", "a.com", "Z0, Z1", "z0", "Z0,"]),
        (
            "AlarmTopic",
            ["", "arn:aws:sns:eu-west-1:123456789012:alarms"],
            ["alarms", "arn:aws:sqs:x:123456789012:q"],
        ),
    ],
)
def test_a_parameter_takes_the_good_and_refuses_the_bad(name: str, good: list[str], bad: list[str]) -> None:
    pattern = source()["Parameters"][name]["AllowedPattern"]

    assert [value for value in good if not re.fullmatch(pattern, value)] == []
    assert [value for value in bad if re.fullmatch(pattern, value)] == []


@pytest.mark.parametrize(("name", "folder"), FUNCTIONS.items())
def test_a_function_runs_the_handler_of_its_folder_with_the_layer(
    name: str, folder: str, deployed: Stack
) -> None:
    function = deployed.properties(name)
    (layer,) = deployed.of("AWS::Lambda::LayerVersion")

    assert source()["Resources"][name]["Properties"]["CodeUri"] == f"functions/{folder}/"
    assert (function["Handler"], function["Runtime"]) == ("app.handler", "python3.13")
    assert (function["Architectures"], function["Layers"]) == (["arm64"], [f"<{layer}>"])
    assert "TracingConfig" not in function


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_knows_every_parameter(name: str) -> None:
    deployed = stack(
        TagPrefix="show",
        AllowedClusters="granja",
        CreateNamespaces="private",
        WindowSeconds="7",
        AllowedLoadBalancers="internal,tg/conejo",
        CreateLoadBalancers="internal",
        LoadBalancerSubnets="subnet-0a1b2c3d",
        LoadBalancerSecurityGroups="sg-0a1b2c3d",
        AllowedApis="a1b2c3d4e5",
        AllowedFunctions="check-hook",
        AllowedIssuers="https://login.system.com",
        AllowOpenRoutes="yes",
        ApiPresets="staff: auth=iam",
        ApiCertificate="arn:aws:acm:eu-west-1:123456789012:certificate/0a1b",
        ApiHostedZone="Z0123456789ABC",
        CloseDefaultEndpoint="yes",
        ApiCors="https://www.system.com",
        ApiSecurityGroups="sg-4e5f6a7b",
        ApiVpcLinks="a1b2c3",
        ApiAccessLogs="yes",
        ApiRestTarget="load-balancer",
        TrailDays="30",
        GuardZones="Z0123456789ABC",
        AuditAll="yes",
    )

    assert deployed.properties(name)["Environment"]["Variables"] == {
        "EXPOSE_STACK": "<AWS::StackName>",
        "EXPOSE_ACCOUNT": "<AWS::AccountId>",
        "EXPOSE_PREFIX": "show",
        "EXPOSE_POLICY": "sync",
        "EXPOSE_CLUSTERS": "granja",
        "EXPOSE_MECHANISMS": "*",
        "EXPOSE_NAMES": "*",
        "EXPOSE_CREATE_NAMESPACES": "private",
        "EXPOSE_LOAD_BALANCERS": "internal,tg/conejo",
        "EXPOSE_CREATE_LOAD_BALANCERS": "internal",
        "EXPOSE_LOAD_BALANCER_SUBNETS": "subnet-0a1b2c3d",
        "EXPOSE_LOAD_BALANCER_SECURITY_GROUPS": "sg-0a1b2c3d",
        "EXPOSE_APIS": "a1b2c3d4e5",
        "EXPOSE_FUNCTIONS": "check-hook",
        "EXPOSE_ISSUERS": "https://login.system.com",
        "EXPOSE_OPEN_ROUTES": "yes",
        "EXPOSE_API_PRESETS": "staff: auth=iam",
        "EXPOSE_API_CERTIFICATE": "arn:aws:acm:eu-west-1:123456789012:certificate/0a1b",
        "EXPOSE_API_ZONE": "Z0123456789ABC",
        "EXPOSE_API_CLOSED": "yes",
        "EXPOSE_API_VPC_LINKS": "a1b2c3",
        "EXPOSE_API_CORS": "https://www.system.com",
        "EXPOSE_API_SECURITY_GROUPS": "sg-4e5f6a7b",
        "EXPOSE_API_REST_TARGET": "load-balancer",
        "EXPOSE_API_LOGS": "arn:<AWS::Partition>:logs:<AWS::Region>:<AWS::AccountId>:log-group:<RequestLog>",
        "EXPOSE_VERIFY_MINUTES": "60",
        "EXPOSE_EMPTY_AFTER": "60",
        "EXPOSE_GRACE": "300",
        "EXPOSE_WINDOW": "7",
        "EXPOSE_ON_DELETE": "withdraw",
        "EXPOSE_TRAIL_DAYS": "30",
        "EXPOSE_GUARD_ZONES": "Z0123456789ABC",
        "EXPOSE_AUDIT_ALL": "yes",
        "EXPOSE_TABLE": "<Ledger>",
        "EXPOSE_TRAIL_TABLE": "<Trail>",
        "EXPOSE_WORK_QUEUE": "<WorkQueue>",
        "EXPOSE_WITHDRAW_QUEUE": "<WithdrawQueue>",
        "EXPOSE_LATER_QUEUE": "<LaterQueue>",
        "POWERTOOLS_SERVICE_NAME": "ecs-expose",
        "POWERTOOLS_METRICS_NAMESPACE": "ecs-expose",
        "POWERTOOLS_LOG_LEVEL": "INFO",
    }


def test_the_functions_are_these_and_each_writes_to_its_own_log_for_a_month(deployed: Stack) -> None:
    functions = deployed.of("AWS::Lambda::Function")

    assert set(functions) == set(FUNCTIONS)
    for name, function in functions.items():
        assert function["LoggingConfig"]["LogGroup"] == f"<{name}Log>"
        assert deployed.properties(f"{name}Log")["RetentionInDays"] == 30


@pytest.mark.parametrize(("logs", "days"), [("no", []), ("yes", [30])])
def test_requests_are_logged_for_a_month_where_the_stack_says_so(logs: str, days: list[int]) -> None:
    deployed = stack(ApiAccessLogs=logs)
    groups = deployed.of("AWS::Logs::LogGroup").values()
    requests = [one for one in groups if one["LogGroupName"] == "/aws/apigateway/<AWS::StackName>"]

    assert [one["RetentionInDays"] for one in requests] == days
    assert bool(deployed.properties("Reconcile")["Environment"]["Variables"]["EXPOSE_API_LOGS"]) is bool(days)
