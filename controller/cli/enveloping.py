"""An in-toto statement about models, such as which data they remove, signed in a DSSE envelope."""

import base64
import json
from datetime import datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from collectors.evidence.artefact import PAYLOAD_TYPE, check_statement
from collectors.evidence.envelope import HASHES, authenticated
from collectors.evidence.refusals import RefusedError
from controller.cli.errors import CliError
from controller.cli.signing import PrivateKey, algorithm_of, contents
from policy.findings import Place


def statement_at(path: Path, now: datetime) -> bytes:
    """The statement of a file, as it stands there. Raises CliError for one that would count for nothing at `now`."""
    payload = contents(path)
    try:
        check_statement(payload, Place(path.name, 1, 1), now)
    except RefusedError as unfit:
        found = unfit.finding
        hint = "correct the statement as docs/evidence.md shows it; nothing was signed"
        raise CliError(f"{path.name}: {found.id} {found.message}", hint) from unfit
    return payload


def enveloped(payload: bytes, key: PrivateKey, kid: str) -> str:
    """The envelope of a statement, as JSON; ECDSA is in DER."""
    signature = _signature(key, authenticated(PAYLOAD_TYPE, payload))
    named = {"keyid": kid} if kid else {}
    return json.dumps(
        {
            "payloadType": PAYLOAD_TYPE,
            "payload": base64.b64encode(payload).decode(),
            "signatures": [{**named, "sig": base64.b64encode(signature).decode()}],
        }
    )


def _signature(key: PrivateKey, message: bytes) -> bytes:
    if isinstance(key, Ed25519PrivateKey):
        return key.sign(message)
    digest = HASHES[algorithm_of(key)[-3:]]()
    if isinstance(key, RSAPrivateKey):
        return key.sign(message, padding.PSS(padding.MGF1(digest), digest.digest_size), digest)
    return key.sign(message, ec.ECDSA(digest))
