"""Whatever stands in a token, verifying it gives evidence or a finding with a place and a hint, and never raises."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from signing import CLAIMS, HERE, NOW, ec_pair, issuer_of, part, signed

from collectors.evidence.ear import Appraisal
from collectors.evidence.records import Evidence
from collectors.evidence.verify import verify
from policy.catalogue import TITLES
from policy.findings import Finding

PAIR = ec_pair()
ISSUER = issuer_of(PAIR, standards=("pci-dss", "attestation"), max_age_s=86_400)
EAR: dict[str, Any] = {
    "eat_profile": "tag:github.com,2023:veraison/ear",
    "iss": "qsa.example",
    "iat": CLAIMS["iat"],
    "ear.verifier-id": {"developer": "a", "build": "b"},
    "submods": {"cpu0": {"ear.status": "affirming", "ear.trustworthiness-vector": {"hardware": 2}}},
}
SCALAR = st.none() | st.booleans() | st.integers(-(10**400), 10**400) | st.floats() | st.text(max_size=20)
ODD = st.recursive(
    SCALAR, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
)


def judged(token: str) -> object:
    found = verify(token, (ISSUER,), NOW, HERE)
    if isinstance(found, Finding):
        assert found.id in TITLES
        assert found.place == HERE
        assert found.hint
        assert found.message.isprintable()
    return found


def paths_in(value: object, here: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    children = value.items() if isinstance(value, dict) else ()
    return [here, *(path for key, child in children for path in paths_in(child, (*here, key)))]


def changed(value: Any, path: tuple[str, ...], new: object) -> Any:
    return {**value, path[0]: changed(value[path[0]], path[1:], new)} if path else new


def test_the_tokens_that_are_spoilt_below_are_good() -> None:
    assert not isinstance(judged(signed(PAIR)), Finding)
    assert not isinstance(judged(signed(PAIR, EAR)), Finding)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_an_odd_claim_anywhere_is_a_finding_or_means_something(data: st.DataObject) -> None:
    claims = data.draw(st.sampled_from([dict(CLAIMS), EAR]))
    path = data.draw(st.sampled_from(paths_in(claims)))
    found = judged(signed(PAIR, changed(claims, path, data.draw(ODD))))
    if isinstance(found, Evidence):
        assert (found.standard, found.subject) in {
            (s, n) for s in ISSUER.standards for n in (*ISSUER.sites, *ISSUER.pools)
        }
        assert found.issued_at < found.expires_at
    else:
        assert isinstance(found, (Appraisal, Finding))


@settings(max_examples=200, deadline=None)
@given(
    st.dictionaries(st.sampled_from(["alg", "kid", "typ", "crit", "b64", "jwk", "x5c"]), ODD), st.binary(max_size=80)
)
def test_an_odd_header_is_a_finding_or_means_something(header: dict[str, object], signature: bytes) -> None:
    _, payload, _ = signed(PAIR).split(".")
    found = judged(f"{part(json.dumps({'alg': 'ES256', **header}).encode())}.{payload}.{part(signature)}")
    assert isinstance(found, Finding)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=200))
def test_an_odd_text_is_a_finding(text: str) -> None:
    assert isinstance(judged(text), Finding)
