"""The chapters with API Gateway: private services answer at a host, for those with a token only; one is rolled over
under requests, another version comes beside it, and both go.
"""

from __future__ import annotations

import json
import textwrap
import time
from collections import Counter

from farm import seed
from farm.demo.apis import AUDIENCE, HOST, SCOPE
from farm.demo.balanced import RATE, judge, stopped
from farm.demo.chart import LEAD, pairs
from farm.demo.load import Load
from farm.demo.scene import API, CABRA, COUNT, OVEJA, Scene

_FIRST, _SECOND = "/v1/orders", "/v2/orders"
_GOOD, _UNKNOWN, _FORBIDDEN, _NOT_FOUND = 200, 401, 403, 404


def opened(scene: Scene) -> None:
    """Tag a private service; it answers at a host, and only those with a token."""
    scene.stage.say(f"{CABRA} has no public address. The platform team has {HOST} in API Gateway.")
    scene.stage.type(f"aws apigatewayv2 create-domain-name --domain-name {HOST} ...")
    scene.apis.own()
    tag = f"{HOST}{_FIRST} auth=jwt issuer=... audience={AUDIENCE} scopes={SCOPE}"
    scene.stage.type("aws ecs tag-resource ... --tags", f'"key={API},value={tag}"')
    strangers: Counter[int] = Counter()
    began = time.time()
    with scene.stage.film(lambda: pairs(scene.apis.standing())):
        scene.farm.tag(CABRA, {API: scene.apis.tag(_FIRST)})
        scene.wait(
            f"{CABRA} answers at {HOST}",
            lambda: _answers(scene, CABRA, _FIRST, strangers),
            scene.apis.standing,
        )
    took = time.time() - began
    page = scene.apis.get(f"{_FIRST}/7", scene.apis.token())
    scene.stage.type(f"curl -H 'Authorization: Bearer ...' https://{HOST}{_FIRST}/7")
    scene.stage.show(textwrap.shorten(json.dumps(json.loads(page.body or b"{}")), 76, placeholder=" ..."))
    scene.expect(f"with a token, {CABRA}", f"{page.status} {page.service}", holds=page.service == CABRA)
    let = strangers[_GOOD]
    scene.expect(
        "never open while it was made",
        f"{let} of {strangers.total()} let in",
        holds=bool(strangers) and not let,
    )
    _expect(scene, "without a token", _FIRST, "", _UNKNOWN)
    _expect(scene, "with a forged one", _FIRST, scene.apis.token(forged=True), _UNKNOWN)
    _expect(scene, "without its scope", _FIRST, scene.apis.token("hens.read"), _FORBIDDEN)
    _expect(scene, f"{_FIRST}x is nobody's", f"{_FIRST}x", scene.apis.token(), _NOT_FOUND)
    scene.took("API", took, "from the tag to the first answer; API and VPC link were made new")


def rolled(scene: Scene) -> None:
    """Replace every task of the service under continuous requests over TLS."""
    if not scene.haste:
        scene.rest()
    before = {task["taskArn"].rpartition("/")[2] for task in scene.farm.tasks(CABRA)}
    scene.stage.say(f"{RATE:.0f} requests a second go to https://{HOST}{_FIRST}; every task is replaced.")
    scene.stage.type(
        f"aws ecs update-service --cluster {seed.CLUSTER} --service {CABRA}", f"--task-definition {CABRA}:2"
    )
    asked = len(scene.asked("apigatewayv2"))
    traffic = scene.apis.traffic(f"{_FIRST}/7", per_second=RATE)
    load = Load(traffic, lambda: scene.seen(CABRA).lives)
    with load, scene.film_of(load.window):
        time.sleep(LEAD)
        scene.farm.deploy_new_revision(CABRA)
        scene.wait(
            "every old task has STOPPED",
            lambda: stopped(scene, CABRA, before) == COUNT and scene.farm.living.steady(),
            lambda: f"{stopped(scene, CABRA, before)} of {COUNT} have",
        )
    judge(scene, load, before)
    changes = [call for call in scene.asked("apigatewayv2")[asked:] if not call.operation.startswith("Get")]
    scene.expect("API Gateway is left alone", f"{len(changes)} changes", holds=not changes)


def versions(scene: Scene) -> None:
    """Another service answers beside the first; then the first goes, then the other."""
    scene.stage.say(f"{OVEJA} is the next version. It comes beside the first, which goes when it likes.")
    scene.stage.type("aws ecs tag-resource ...", f'--tags "key={API},value={HOST}{_SECOND} auth=jwt ..."')
    strangers: Counter[int] = Counter()
    began = time.time()
    scene.farm.tag(OVEJA, {API: scene.apis.tag(_SECOND)})
    scene.wait(
        f"{OVEJA} answers at {_SECOND}",
        lambda: _answers(scene, OVEJA, _SECOND, strangers),
        scene.apis.standing,
    )
    scene.took("beside", time.time() - began, "from the tag to the first answer, on the API that is there")
    both = [scene.apis.get(path, scene.apis.token()).service for path in (_FIRST, _SECOND)]
    scene.expect("each version by its path", ", ".join(both), holds=both == [CABRA, OVEJA])
    scene.expect("neither was ever open", f"{strangers[_GOOD]} let in", holds=not strangers[_GOOD])
    began = time.time()
    _remove(scene, CABRA)
    _until_gone(scene, _FIRST)
    _expect(scene, f"{_FIRST} is gone", _FIRST, scene.apis.token(), _NOT_FOUND)
    other = scene.apis.get(_SECOND, scene.apis.token())
    scene.expect(f"{_SECOND} is not", f"{other.status} {other.service}", holds=other.service == OVEJA)
    _remove(scene, OVEJA)
    scene.wait("API Gateway is as it was", lambda: not scene.apis.made(), scene.apis.made)
    left = ", ".join(scene.apis.made()) or "nothing"
    scene.expect("of ours, in API Gateway", left, holds=left == "nothing")
    scene.took("all gone", time.time() - began, "until API, VPC link and mapping had gone too")


def _expect(scene: Scene, said: str, path: str, token: str, status: int) -> None:
    heard = scene.apis.get(path, token).status
    scene.expect(f"{said}: {status}", str(heard), holds=heard == status)


def _answers(scene: Scene, service: str, path: str, strangers: Counter[int]) -> bool:
    """Whether a caller with a token hears the service, at the path and below. Note what one without hears meanwhile."""
    strangers[scene.apis.get(path).status] += 1
    token = scene.apis.token()
    return all(scene.apis.get(each, token).service == service for each in (path, f"{path}/7"))


def _remove(scene: Scene, service: str) -> None:
    scene.stage.type(
        "aws ecs untag-resource", f"--resource-arn {scene.farm.arn(service)}", f"--tag-keys {API}"
    )
    scene.farm.untag(service, API)


def _until_gone(scene: Scene, path: str) -> None:
    def heard() -> int:
        return scene.apis.get(path, scene.apis.token()).status

    scene.wait(f"{path} is not answered", lambda: heard() == _NOT_FOUND, heard)
