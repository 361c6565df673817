"""Calls an agent with the official A2A SDK over mutual TLS and prints one JSON line.

Nothing of Countersign is installed on this side: the certificate comes from files, the bearer
token from standard input, and the SDK's own hooks add the token and the request signature.

out: {"server": SPIFFE ID, "events": [...]} or {"server", "status", "error"}; exit code 1 then
"""

import argparse
import asyncio
import json
import ssl
import sys

import httpx
from a2a.client import A2ACardResolver, ClientConfig, ClientFactory
from a2a.client.client import ClientCallContext
from a2a.client.errors import A2AClientError
from a2a.client.interceptors import ClientCallInterceptor
from a2a.helpers import new_text_message
from a2a.types.a2a_pb2 import Role, SendMessageRequest
from a2a.utils.errors import A2AError
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from google.protobuf.json_format import MessageToDict

from a2a_profile import SignEveryRequest

TIMEOUT = 20.0


class Bearer(ClientCallInterceptor):
    """Adds the access token to every operation."""

    def __init__(self, token):
        self.token = token

    async def before(self, args):
        args.context = args.context or ClientCallContext()
        parameters = dict(args.context.service_parameters or {})
        parameters["Authorization"] = f"Bearer {self.token}"
        args.context.service_parameters = parameters

    async def after(self, args):
        pass


class Seen:
    """What the last answer was: its status, and the URI name of the server's certificate."""

    def __init__(self):
        self.status = None
        self.server = None

    async def note(self, response):
        self.status = response.status_code
        tls = response.extensions["network_stream"].get_extra_info("ssl_object")
        names = tls.getpeercert().get("subjectAltName", ())
        self.server = next((value for kind, value in names if kind == "URI"), None)


def tls_context(args):
    context = ssl.create_default_context(cafile=args.bundle)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.load_cert_chain(args.certificate, args.key)
    return context


async def call(args, token, seen):
    with open(args.key, "rb") as file:
        private = load_pem_private_key(file.read(), password=None)
    async with httpx.AsyncClient(
        verify=tls_context(args),
        auth=SignEveryRequest(private, args.signature_agent),
        timeout=TIMEOUT,
        trust_env=False,
        event_hooks={"response": [seen.note]},
    ) as http:
        card = await A2ACardResolver(http, args.url).get_agent_card()
        config = ClientConfig(httpx_client=http, streaming=args.stream)
        client = ClientFactory(config).create(card, interceptors=[Bearer(token)])
        message = new_text_message(args.text, role=Role.ROLE_USER)
        request = SendMessageRequest(message=message)
        return [MessageToDict(event) async for event in client.send_message(request)]


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--url", required=True, help="where the agent's card is served")
    parser.add_argument("--certificate", required=True, help="own chain, PEM file, leaf first")
    parser.add_argument("--key", required=True, help="own private key, PKCS#8 PEM file")
    parser.add_argument("--bundle", required=True, help="trusted roots, PEM file")
    parser.add_argument("--signature-agent", required=True, help="URL of the own key directory")
    parser.add_argument("--text", required=True, help="what to ask for")
    parser.add_argument("--stream", action="store_true", help="ask for a stream of events")
    return parser.parse_args()


def main():
    args = arguments()
    token = sys.stdin.readline().strip()
    seen = Seen()
    try:
        events = asyncio.run(asyncio.wait_for(call(args, token, seen), TIMEOUT))
    except (A2AClientError, A2AError, httpx.HTTPError, TimeoutError) as error:
        text = f"{type(error).__name__}: {error}"
        print(json.dumps({"server": seen.server, "status": seen.status, "error": text}))
        return 1
    print(json.dumps({"server": seen.server, "events": events}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
