"""Calls an agent with the official A2A SDK over mutual TLS and prints one JSON line.

Nothing of Countersign is installed on this side: the certificate comes from files, the token from
the authorization server, and the SDK's own hooks add the token and the request signature.

out: {"server": SPIFFE ID, "events": [...]}, or {"server", "status", "error"} when it is refused
"""

import argparse
import asyncio
import json

import httpx
from a2a.client import A2ACardResolver, ClientConfig, ClientFactory
from a2a.client.client import ClientCallContext
from a2a.client.interceptors import ClientCallInterceptor
from a2a.helpers import new_text_message
from a2a.types.a2a_pb2 import Role, SendMessageRequest
from a2a.utils.errors import A2AError
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from google.protobuf.json_format import MessageToDict

from a2a_profile import SignEveryRequest
from agent import TIMEOUT, add_arguments, connect, get_token


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


async def call(args, seen):
    interceptors = [] if args.without_token else [Bearer(await get_token(args))]
    with open(args.key, "rb") as file:
        private = load_pem_private_key(file.read(), password=None)
    signing = None if args.unsigned else SignEveryRequest(private, args.signature_agent)
    async with connect(args, auth=signing, event_hooks={"response": [seen.note]}) as http:
        card = await A2ACardResolver(http, args.url).get_agent_card()
        config = ClientConfig(httpx_client=http, streaming=args.stream)
        client = ClientFactory(config).create(card, interceptors=interceptors)
        message = new_text_message(args.text, role=Role.ROLE_USER)
        request = SendMessageRequest(message=message)
        return [MessageToDict(event) async for event in client.send_message(request)]


def main():
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    parser.add_argument("--url", required=True, help="where the agent's card is served")
    parser.add_argument("--signature-agent", required=True, help="URL of the own key directory")
    parser.add_argument("--text", required=True, help="what to ask for")
    parser.add_argument("--stream", action="store_true", help="ask for a stream of events")
    parser.add_argument("--unsigned", action="store_true", help="leave the signatures out")
    parser.add_argument("--without-token", action="store_true", help="leave the token out")
    args = parser.parse_args()
    seen = Seen()
    try:
        events = asyncio.run(asyncio.wait_for(call(args, seen), TIMEOUT))
    except (A2AError, httpx.HTTPError, TimeoutError) as error:
        text = f"{type(error).__name__}: {error}"
        return {"server": seen.server, "status": seen.status, "error": text}
    return {"server": seen.server, "events": events}


if __name__ == "__main__":
    print(json.dumps(main()))
