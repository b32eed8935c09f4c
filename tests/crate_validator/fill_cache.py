"""Put the context that a package ships into the validator's cache, so that it validates without any network.

    python fill_cache.py CACHE

It runs in the validator's own environment.
"""

from __future__ import annotations

import io
import sys
from importlib.resources import files

from requests import PreparedRequest, Response
from requests.adapters import HTTPAdapter
from requests_cache import CachedSession
from urllib3.response import HTTPResponse

CONTEXT = "https://w3id.org/ro/crate/1.1/context"


class Shipped(HTTPAdapter):
    """Answers with the file instead of the network."""

    def send(self, request: PreparedRequest, *_: object, **__: object) -> Response:
        content = (files("rocrate") / "data" / "ro-crate.jsonld").read_bytes()
        headers = {"content-type": "application/ld+json"}
        return self.build_response(request, HTTPResponse(io.BytesIO(content), headers, 200, preload_content=False))


session = CachedSession(cache_name=sys.argv[1], backend="sqlite", expire_after=-1, allowable_methods=("GET",))
session.mount("https://", Shipped())
for kind in ("application/ld+json, application/json;p=0.9, */*;q=0.1", "*/*"):
    session.get(CONTEXT, headers={"accept": kind}).raise_for_status()
