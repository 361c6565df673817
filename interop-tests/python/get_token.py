"""Gets an access token and prints one JSON line.

out: {"access_token"}, or {"status", "error"} when it is refused
"""

import argparse
import asyncio
import json

import httpx

from agent import add_arguments, get_token


def main():
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    try:
        return {"access_token": asyncio.run(get_token(parser.parse_args()))}
    except httpx.HTTPStatusError as error:
        answer = error.response
        return {"status": answer.status_code, "error": answer.json().get("error")}


if __name__ == "__main__":
    print(json.dumps(main()))
