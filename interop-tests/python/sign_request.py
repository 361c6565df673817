"""Signs the request on standard input and prints its fields as one JSON line.

in:  {"method", "url", "headers": [[name, value], ...], "body": base64url,
      "key": base64url PKCS#8, "signature_agent": URL}
out: {"headers": [[name, value], ...]}
"""

import json
import sys

import httpx
from cryptography.hazmat.primitives.serialization import load_der_private_key

from a2a_profile import Message, from_base64url, sign


def main():
    request = json.load(sys.stdin)
    headers = httpx.Headers([tuple(pair) for pair in request["headers"]])
    message = Message(request["method"], request["url"], headers)
    body = from_base64url(request["body"])
    private = load_der_private_key(from_base64url(request["key"]), password=None)
    sign(message, body, private, request["signature_agent"])
    return {"headers": list(message.headers.multi_items())}


if __name__ == "__main__":
    print(json.dumps(main()))
