"""An OIDC provider of the farm's own: real HTTP on loopback, real keys, tokens for whoever asks in process.

Its URL is https, as API Gateway wants it, and nobody need own the name: `known()` tells the gateway where it answers.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
from collections.abc import Iterable, Iterator
from typing import Any, Self

from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

from farm import wire
from farm.aws import clock
from farm.gateway.model import settings

URL = "https://login.animales.com"
_KID = "farm-1"


class Issuer:
    """Issues tokens between `start` and `stop`, or while a `with` lasts."""

    def __init__(self, url: str = URL) -> None:
        self.url = url.rstrip("/")
        self.requests = 0
        """How often somebody asked over HTTP."""
        self._key = RSAKey.generate_key(2048, {"kid": _KID, "use": "sig"})
        self._forger = RSAKey.generate_key(2048, {"kid": _KID, "use": "sig"})
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="issuer", daemon=True)
        self._server: asyncio.Server | None = None

    @property
    def address(self) -> str:
        """Where it answers, as in http://127.0.0.1:8081. LookupError unless it has started."""
        if self._server is None:
            raise LookupError(f"{self.url} has not started")
        host, port = self._server.sockets[0].getsockname()
        return f"http://{host}:{port}"

    def token(
        self,
        *,
        audience: str | Iterable[str] = (),
        scopes: Iterable[str] = (),
        expires_in: float = 3600.0,
        client_id: str = "",
        forged: bool = False,
        algorithm: str = "RS256",
        kid: str | None = _KID,
        **claims: Any,
    ) -> str:
        """A signed token, by the farm's clock; `claims` goes in as it is, None takes a claim away.

        `forged` is signed with a key that is not published, under the name of one that is.
        """
        now = int(clock.now())
        audiences = audience if isinstance(audience, str) else list(audience)
        said = {
            "iss": self.url,
            "sub": "farmer",
            "iat": now,
            "exp": int(now + expires_in),
            **({"aud": audiences} if audiences else {}),
            **({"scope": " ".join(scopes)} if scopes else {}),
            **({"client_id": client_id} if client_id else {}),
            **claims,
        }
        header = {"alg": algorithm, "typ": "JWT", **({"kid": kid} if kid else {})}
        kept = {name: value for name, value in said.items() if value is not None}
        return jwt.encode(header, kept, self._forger if forged else self._key, algorithms=[algorithm])

    def public_pem(self) -> bytes:
        """The key that is published."""
        return self._key.as_pem(private=False)

    def known(self) -> Self:
        """Let the gateway of the farm in force find it."""
        settings().issuers[self.url] = self.address
        return self

    def start(self) -> None:
        self._thread.start()
        self._server = asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(timeout=10)

    def stop(self) -> None:
        if self._server:
            self._loop.call_soon_threadsafe(self._server.close)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=5)
        self._loop.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    async def _listen(self) -> asyncio.Server:
        return await asyncio.start_server(self._converse, "127.0.0.1", 0)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, wire.GarbledError):
            _, path = (await wire.read_request(reader)).asked
            self.requests += 1
            page = self._page(path)
            status, body = (404, b"{}") if page is None else (200, json.dumps(page).encode())
            writer.write(wire.response(status, body, "application/json").encoded())
            await writer.drain()
        writer.close()

    def _page(self, path: str) -> Any:
        match path:
            case "/.well-known/openid-configuration":
                return {
                    "issuer": self.url,
                    "jwks_uri": f"{self.url}/jwks.json",
                    "id_token_signing_alg_values_supported": ["RS256"],
                    "response_types_supported": ["token"],
                    "subject_types_supported": ["public"],
                }
            case "/jwks.json":
                return KeySet([self._key]).as_dict(private=False)
        return None


@contextlib.contextmanager
def issuing(url: str = URL) -> Iterator[Issuer]:
    """An issuer that the gateway knows, while a `with` lasts."""
    with Issuer(url) as issuer:
        yield issuer.known()
