"""Verifies the request on standard input and prints one JSON line.

in:  {"method", "url", "headers": [[name, value], ...], "body": base64url, "jwk": {...}}
out: {"verified": true, "label", "keyid", "covered": [...]} or {"verified": false, "error"}
"""

import json
import sys

import httpx
from http_message_signatures import HTTPMessageSignaturesException

from a2a_profile import Message, from_base64url, key_of, verify


def main():
    request = json.load(sys.stdin)
    headers = httpx.Headers([tuple(pair) for pair in request["headers"]])
    message = Message(request["method"], request["url"], headers)
    body = from_base64url(request["body"])
    try:
        result = verify(message, body, key_of(request["jwk"]))
    except HTTPMessageSignaturesException as error:
        return {"verified": False, "error": str(error) or "the signature does not match"}
    covered = [name for name in result.covered_components if name != '"@signature-params"']
    keyid = result.parameters["keyid"]
    return {"verified": True, "label": result.label, "keyid": keyid, "covered": covered}


if __name__ == "__main__":
    print(json.dumps(main()))
