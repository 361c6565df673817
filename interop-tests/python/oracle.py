"""One library's answers about HTTP messages: http-message-signatures.

in:  {"operation": "base" | "sign" | "verify", "cases": [case, ...]}
out: [answer, ...], one JSON line, an answer for each case in its order

message: {"method", "url", "target", "headers": [[name, value], ...]}
         or {"status", "headers", "request": message}
base:    {"message"} -> {"base"}: what the library hands to a verifier for the one signature
sign:    {"message", "key": PKCS#8, "keyid", "components": ['"@method"', ...],
         "label", "tag", "created", "expires", "nonce"} -> {"headers": [[name, value], ...]}
verify:  {"message", "jwk"} -> {"verified": true}

Bytes are base64url. Whatever the library refuses is {"error": text}.
"""

import datetime
import json
import sys

from cryptography.hazmat.primitives.serialization import load_der_private_key
from http_message_signatures import (
    HTTPMessageSignaturesException,
    HTTPMessageSigner,
    HTTPMessageVerifier,
    algorithms,
)
from http_message_signatures.algorithms import HTTPSignatureAlgorithm

from a2a_profile import from_base64url, key_of


class Fields(dict):
    """Field lines in their order, without the white space that a transport takes off."""

    def __init__(self, lines):
        super().__init__(lines)
        self.lines = [(name, value.strip(" \t")) for name, value in lines]

    def __setitem__(self, name, value):
        super().__setitem__(name, value)
        self.lines.append((name, value))

    def items(self):
        return self.lines


class Request:
    def __init__(self, message):
        self.method, self.url = message["method"], message["url"]
        self.headers = Fields(message["headers"])


class Response:
    def __init__(self, message):
        self.status_code = message["status"]
        self.headers = Fields(message["headers"])
        request = message.get("request")
        self.request = Request(request) if request else None


def message_of(message):
    return Response(message) if "status" in message else Request(message)


class Seen(HTTPSignatureAlgorithm):
    """Takes every signature and keeps the text that it was to be for."""

    algorithm_id = "ed25519"
    base = None

    def __init__(self, public_key=None, private_key=None, password=None):
        pass

    def sign(self, message):
        raise NotImplementedError

    def verify(self, signature, message):
        Seen.base = message


class OneKey:
    def __init__(self, key):
        self.key = key

    def resolve_public_key(self, key_id):
        return self.key

    resolve_private_key = resolve_public_key


class Timeless(HTTPMessageVerifier):
    require_created = False


def base(case):
    Seen.base = None
    verifier = Timeless(signature_algorithm=Seen, key_resolver=OneKey(b"any"))
    verifier.verify(message_of(case["message"]), max_age=None)
    return {"base": Seen.base.decode()}


def verify(case):
    key = OneKey(key_of(case["jwk"]))
    verifier = HTTPMessageVerifier(signature_algorithm=algorithms.ED25519, key_resolver=key)
    verifier.verify(message_of(case["message"]))
    return {"verified": True}


def sign(case):
    key = OneKey(load_der_private_key(from_base64url(case["key"]), password=None))
    signer = HTTPMessageSigner(signature_algorithm=algorithms.ED25519, key_resolver=key)
    message = message_of(case["message"])
    at = lambda name: datetime.datetime.fromtimestamp(case[name], datetime.timezone.utc)
    signer.sign(
        message,
        key_id=case["keyid"],
        created=at("created"),
        expires=at("expires"),
        nonce=case["nonce"],
        label=case["label"],
        tag=case["tag"],
        include_alg=False,
        covered_component_ids=case["components"],
    )
    made = ("signature-input", "signature")
    return {"headers": [pair for pair in message.headers.items() if pair[0].lower() in made]}


def answer(operation, case):
    try:
        return operation(case)
    except HTTPMessageSignaturesException as error:
        return {"error": str(error) or "the signature does not match"}


def main():
    asked = json.load(sys.stdin)
    operation = {"base": base, "sign": sign, "verify": verify}[asked["operation"]]
    return [answer(operation, case) for case in asked["cases"]]


if __name__ == "__main__":
    print(json.dumps(main()))
