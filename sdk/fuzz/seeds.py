"""Writes the seeds of the fuzz targets, made of the public vectors: seeds.py VECTORS SEEDS"""

import hashlib
import json
import sys
from pathlib import Path

vectors, seeds = Path(sys.argv[1]), Path(sys.argv[2])


def read(name):
    return json.loads((vectors / name).read_text(encoding="utf-8"))


def seed(target, text):
    folder = seeds / target
    folder.mkdir(parents=True, exist_ok=True)
    data = text.encode()
    (folder / hashlib.sha256(data).hexdigest()[:16]).write_bytes(data)


def lines(fields):
    return "".join(f"{name}: {' '.join(value.split())}\n" for name, value in fields)


def head(message):
    if message["type"] == "response":
        return f"{message['status']}\n"
    return f"{message['method']} {message['target']}\n"


def signed(message, related, fields):
    """The text of a message as `countersign_fuzz::Message` reads it."""
    text = head(message) + lines(message["headers"] + fields) + "\n" + (message.get("body") or "")
    if message["type"] == "response" and related:
        text += "\n\n" + head(related) + lines(related["headers"])
    return text


def rfc9421():
    data = read("rfc9421/rfc9421_vectors.json")
    for vector in data["signed"]:
        fields = [
            ["signature-input", f"{vector['label']}={vector['signature_input']}"],
            ["signature", f"{vector['label']}={vector['signature']}"],
        ]
        message = vector["message"]
        seed("signature", signed(message, vector.get("request"), fields))
        digests = [v for name, v in message["headers"] if name.lower() == "content-digest"]
        for digest in digests:
            seed("digest", f"{digest}\n{message.get('body', '')}")
    for vector in data["accept_signature"]:
        seed("signature", f"200\naccept-signature: {vector['field']}\n\n")


def web_bot_auth():
    for vector in read("webbotauth-draft/webbotauth_draft_vectors.json")["vectors"]:
        fields = [
            ["host", "example.com"],
            ["signature-input", f"{vector['label']}={vector['signature_input']}"],
            ["signature", f"{vector['label']}={vector['signature']}"],
        ]
        if vector.get("signature_agent"):
            fields.append(["signature-agent", vector["signature_agent"]])
        seed("signature", "GET /path/to/resource\n" + lines(fields) + "\n")
    for vector in read("cloudflare-web-bot-auth/web_bot_auth_signature_agent_v1.json"):
        seed("signature", f"GET /\nsignature-agent: {vector['header']}\n\n")
    for vector in read("cloudflare-web-bot-auth/web_bot_auth_signature_agent_card_v1.json"):
        seed("card", f"{vector['url']}\n{json.dumps(vector['card'])}")
    for vector in read("cloudflare-web-bot-auth/web_bot_auth_registry_v1.json"):
        seed("registry", vector["registry_txt"])


def wimse():
    text = (vectors / "wimse/sigs-request.txt").read_text(encoding="utf-8")
    seed("signature", text.replace(" HTTP/1.1", "", 1).replace("\r\n", "\n"))


def keys():
    found = list(read("rfc9421/rfc9421_vectors.json")["keys"].values())
    found += [json.loads(v["jwk"]) for v in read("jwk-thumbprint/cloudflare-jsonwebkey-thumbprint.json")]
    private = {"d", "p", "q", "dp", "dq", "qi"}
    public = [{k: v for k, v in key.items() if k not in private} for key in found]
    for key in public:
        seed("directory", json.dumps({"keys": [key]}))
        seed("directory", json.dumps(key))
    seed("directory", json.dumps({"keys": public}))


def structured_fields():
    for case in read("structured-field-tests/dictionary.json"):
        field = ", ".join(case["raw"])
        if "\n" not in field and field:
            seed("digest", f"{field}\nbody")
            seed("signature", f"GET /\nsignature-input: {field}\nsignature: {field}\n\n")


for made in (rfc9421, web_bot_auth, wimse, keys, structured_fields):
    made()
