"""A controller's side of sites on a socket of its own, and what a site calls it with."""

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from controller.embedded.ports import free_ports
from controller.sites.calls import REGISTER, Credentials, Enrolment
from controller.sites.hub.answering import answering
from controller.sites.hub.app import Hub, site_calls
from controller.sites.hub.authority import Authority
from controller.sites.hub.heard import SiteReports
from controller.sites.hub.making_keys import AUTHORITY, AUTHORITY_KEY, CERTIFICATE, KEY, PLAN_KEY, make_keys
from controller.sites.hub.peer import context_of
from controller.sites.hub.publishing import SitePlans
from controller.sites.hub.registry import SiteRegistry


@dataclass(slots=True)
class Clock:
    """A clock that a test moves on."""

    passed: timedelta = timedelta(0)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.passed


@dataclass(slots=True)
class Called:
    """What stands at `url`, with the files that it was made from."""

    url: str
    hub: Hub
    keys: Path
    clock: Clock
    folder: Path
    opened: list[httpx.AsyncClient] = field(default_factory=list)

    @property
    def registry(self) -> SiteRegistry:
        return self.hub.registry

    def context(self, certificate: str = "", key: EllipticCurvePrivateKey | None = None) -> ssl.SSLContext:
        """What trusts the controller, and shows a certificate where there is one."""
        context = ssl.create_default_context(cafile=self.keys / AUTHORITY)
        if certificate and key is not None:
            file = self.folder / f"{len(list(self.folder.iterdir()))}.pem"
            file.write_text(certificate + private_pem(key))
            context.load_cert_chain(file)
        return context

    def client(self, context: ssl.SSLContext) -> httpx.AsyncClient:
        made = httpx.AsyncClient(base_url=self.url, verify=context, trust_env=False, timeout=20)
        self.opened.append(made)
        return made

    async def register(self, site: str) -> tuple[Credentials, EllipticCurvePrivateKey]:
        """A site's credentials, got with a token, and the key that it made for them."""
        token = self.registry.new_token(site, self.clock() + timedelta(hours=1))
        key, request = requested()
        answer = await self.client(self.context()).post(REGISTER, content=enrolment(request, token))
        assert answer.status_code == httpx.codes.OK, answer.text
        return msgspec.json.decode(answer.content, type=Credentials), key

    async def site(self, name: str) -> httpx.AsyncClient:
        """A registered site's client."""
        credentials, key = await self.register(name)
        return self.client(self.context(credentials.certificate, key))


def requested() -> tuple[EllipticCurvePrivateKey, str]:
    """A new key, and a request for a certificate over it."""
    key = generate_private_key(SECP256R1())
    made = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).sign(key, hashes.SHA256())
    return key, made.public_bytes(Encoding.PEM).decode()


def enrolment(request: str, token: str = "") -> bytes:
    return msgspec.json.encode(Enrolment(request, token))


def private_pem(key: EllipticCurvePrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


@asynccontextmanager
async def hub_at(folder: Path, *agents: str) -> AsyncIterator[Called]:
    """Serve `agents` on 127.0.0.1, with keys of its own unless there are some already."""
    keys, clock = folder / "keys", Clock()
    if not keys.exists():
        make_keys(keys, ("127.0.0.1",), clock())
    authority = Authority.read(keys / AUTHORITY, keys / AUTHORITY_KEY, keys / PLAN_KEY)
    registry = SiteRegistry.open(folder / "journal.db")
    plans = SitePlans(registry, authority.plan_key, clock)
    hub = Hub(agents, authority, registry, plans, SiteReports(), clock, clock, Clock())
    context = context_of(keys / CERTIFICATE, keys / KEY, keys / AUTHORITY)
    address = f"127.0.0.1:{free_ports(1)[0]}"
    shown = folder / "shown"
    shown.mkdir(exist_ok=True)
    called = Called(f"https://{address}", hub, keys, clock, shown)
    try:
        async with answering(site_calls(hub), address, context, 64):
            try:
                yield called
            finally:
                hub.plans.end()
                for client in called.opened:
                    await client.aclose()
    finally:
        registry.close()
