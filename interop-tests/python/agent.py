"""An agent that is not ours: its certificate, its connections, its tokens."""

import ssl

import httpx

TIMEOUT = 20.0
EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"


def add_arguments(parser):
    parser.add_argument("--certificate", required=True, help="own chain, PEM file, leaf first")
    parser.add_argument("--key", required=True, help="own private key, PKCS#8 PEM file")
    parser.add_argument("--bundle", required=True, help="trusted roots, PEM file")
    parser.add_argument("--issuer", required=True, help="the authorization server")
    parser.add_argument("--client-id", required=True, help="own SPIFFE ID")
    parser.add_argument("--audience", required=True, help="whom the token is for")
    parser.add_argument("--scope", required=True, help="what to ask for")
    parser.add_argument("--user", help="on whose behalf; without it, on our own")


def connect(args, **options):
    """A client that trusts the bundle only, shows our certificate and asks no environment."""
    context = ssl.create_default_context(cafile=args.bundle)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.load_cert_chain(args.certificate, args.key)
    return httpx.AsyncClient(verify=context, timeout=TIMEOUT, trust_env=False, **options)


async def get_token(args):
    """An access token for the audience (RFC 6749 §4.4, RFC 8693), bound to our certificate."""
    async with connect(args) as http:
        answer = await http.get(f"{args.issuer}/.well-known/oauth-authorization-server")
        metadata = answer.raise_for_status().json()
        if metadata["issuer"] != args.issuer:
            raise ValueError(f"metadata of another issuer: {metadata['issuer']}")
        client = {"client_id": args.client_id, "scope": args.scope}
        form = {**client, "resource": args.audience, "grant_type": "client_credentials"}
        if args.user:
            login = {**client, "login_hint": args.user}
            form |= {
                "grant_type": EXCHANGE,
                "subject_token": await post(http, metadata["development_login_endpoint"], login),
                "subject_token_type": ACCESS_TOKEN,
            }
        return await post(http, metadata["token_endpoint"], form)


async def post(http, url, form):
    answer = await http.post(url, data=form)
    return answer.raise_for_status().json()["access_token"]
