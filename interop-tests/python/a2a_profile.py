"""Request signatures as Countersign's `a2a` profile wants them, made and checked by
http-message-signatures, a library that shares no code with Countersign."""

import base64
import datetime
import hashlib
import json
import os
from dataclasses import dataclass

import httpx
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from http_message_signatures import HTTPMessageSigner, HTTPMessageVerifier, algorithms
from http_message_signatures.digests import ContentDigest

LABEL = "sig1"
TAG = "web-bot-auth"
LIFE = datetime.timedelta(seconds=60)
AGENT_MEMBER = f'"signature-agent";key="{LABEL}"'
ALWAYS = ("@method", "@authority", "@path", "@query")
WHEN_PRESENT = (
    "content-type",
    "content-digest",
    "authorization",
    "a2a-version",
    "a2a-extensions",
)


@dataclass
class Message:
    """What the signature library reads of a request, and writes its fields to."""

    method: str
    url: str
    headers: httpx.Headers


def algorithm_of(key):
    """The signature algorithm that goes with a private or public key."""
    if isinstance(key, (ed25519.Ed25519PrivateKey, ed25519.Ed25519PublicKey)):
        return algorithms.ED25519
    if isinstance(key, (ec.EllipticCurvePrivateKey, ec.EllipticCurvePublicKey)):
        return algorithms.ECDSA_P256_SHA256
    raise ValueError(f"neither an Ed25519 nor a P-256 key: {type(key).__name__}")


def jwk_of(public):
    """The members of the key's JWK that make up its thumbprint (RFC 7638 §3.2, RFC 8037 §2)."""
    if isinstance(public, ed25519.Ed25519PublicKey):
        raw = public.public_bytes(Encoding.Raw, PublicFormat.Raw)
        return {"crv": "Ed25519", "kty": "OKP", "x": to_base64url(raw)}
    numbers = public.public_numbers()
    x, y = (to_base64url(n.to_bytes(32, "big")) for n in (numbers.x, numbers.y))
    return {"crv": "P-256", "kty": "EC", "x": x, "y": y}


def key_of(jwk):
    """The public key that a JWK describes."""
    if jwk["kty"] == "OKP" and jwk["crv"] == "Ed25519":
        return ed25519.Ed25519PublicKey.from_public_bytes(from_base64url(jwk["x"]))
    if jwk["kty"] == "EC" and jwk["crv"] == "P-256":
        x, y = (int.from_bytes(from_base64url(jwk[name]), "big") for name in ("x", "y"))
        return ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
    raise ValueError("neither an Ed25519 nor a P-256 key")


def thumbprint(public):
    """The JWK thumbprint (RFC 7638), which is the `keyid`."""
    text = json.dumps(jwk_of(public), separators=(",", ":"), sort_keys=True)
    return to_base64url(hashlib.sha256(text.encode()).digest())


def to_base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def from_base64url(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class OneKey:
    """The library's key resolver for the one key that is expected."""

    def __init__(self, private=None, public=None):
        self.private = private
        self.public = public or private.public_key()
        self.keyid = thumbprint(self.public)

    def resolve_private_key(self, key_id):
        return self.private if key_id == self.keyid else None

    def resolve_public_key(self, key_id):
        return self.public if key_id == self.keyid else None


def to_cover(message):
    """The components that this request's signature must cover."""
    fields = [name for name in WHEN_PRESENT if name in message.headers]
    return [*ALWAYS, *fields, AGENT_MEMBER]


def sign(message, body, private, signature_agent):
    """Adds Content-Digest, Signature-Agent, Signature-Input and Signature to the message."""
    keys = OneKey(private=private)
    message.headers["Signature-Agent"] = f'{LABEL}="{signature_agent}"'
    if body:
        ContentDigest.add(message.headers, body)
    now = datetime.datetime.now(datetime.timezone.utc)
    HTTPMessageSigner(signature_algorithm=algorithm_of(private), key_resolver=keys).sign(
        message,
        key_id=keys.keyid,
        created=now,
        expires=now + LIFE,
        nonce=base64.b64encode(os.urandom(16)).decode(),
        label=LABEL,
        tag=TAG,
        include_alg=False,
        covered_component_ids=to_cover(message),
        body=body or None,
        use_existing_digest=bool(body),
    )


def verify(message, body, public):
    """Checks signature, times, tag, coverage and digest; returns the library's one result."""
    verifier = HTTPMessageVerifier(
        signature_algorithm=algorithm_of(public), key_resolver=OneKey(public=public)
    )
    results = verifier.verify(
        message,
        max_age=datetime.timedelta(minutes=5),
        expect_tag=TAG,
        require_components=to_cover(message),
    )
    (result,) = verifier.verify_body(message, results, body)
    return result


class SignEveryRequest(httpx.Auth):
    """Signs each request last, when its URL, fields and body are final."""

    requires_request_body = True

    def __init__(self, private, signature_agent):
        self.private = private
        self.signature_agent = signature_agent

    def auth_flow(self, request):
        message = Message(request.method, str(request.url), request.headers)
        sign(message, request.content, self.private, self.signature_agent)
        yield request
