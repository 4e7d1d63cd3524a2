# SPDX-License-Identifier: Apache-2.0
"""/openapi.json against what the server really answers."""

import json
import re

import pytest

TYPES = {"object": dict, "array": list, "string": str, "boolean": bool,
         "null": type(None)}


def has_type(value, name):
    if name == "integer":
        return isinstance(value, int) and not isinstance(value, bool)
    if name == "number":
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    return isinstance(value, TYPES[name])


class Schemas:
    """As much of JSON Schema as api/schemas.json uses."""

    KEYWORDS = {"type", "enum", "pattern", "minimum", "maximum", "maxItems",
                "items", "properties", "required", "additionalProperties",
                "oneOf", "$ref", "description", "readOnly"}

    def __init__(self, document):
        self.document = document

    def resolve(self, schema):
        while "$ref" in schema:
            where = self.document
            for part in schema["$ref"].lstrip("#/").split("/"):
                where = where[part]
            schema = where
        return schema

    def check(self, value, schema, at=""):
        schema = self.resolve(schema)
        assert set(schema) <= self.KEYWORDS, f"{at}: {schema}"
        if "oneOf" in schema:
            fits = [s for s in schema["oneOf"] if self.fits(value, s)]
            assert len(fits) == 1, f"{at}: {value}"
        if "type" in schema:
            names = schema["type"]
            names = names if isinstance(names, list) else [names]
            assert any(has_type(value, n) for n in names), f"{at}: {value}"
        if "enum" in schema:
            assert value in schema["enum"], f"{at}: {value}"
        if isinstance(value, str) and "pattern" in schema:
            assert re.search(schema["pattern"], value), f"{at}: {value}"
        if has_type(value, "number"):
            assert value >= schema.get("minimum", value), f"{at}: {value}"
            assert value <= schema.get("maximum", value), f"{at}: {value}"
        if isinstance(value, list):
            for i, item in enumerate(value):
                self.check(item, schema.get("items", {}), f"{at}/{i}")
        if isinstance(value, dict):
            self.check_object(value, schema, at)

    def check_object(self, value, schema, at):
        properties = schema.get("properties", {})
        for name in schema.get("required", []):
            assert name in value, f"{at}/{name} is missing"
        for name, item in value.items():
            rest = schema.get("additionalProperties", True)
            if name in properties:
                self.check(item, properties[name], f"{at}/{name}")
            else:
                assert rest is not False, f"{at}/{name} is not described"
                if rest is not True:
                    self.check(item, rest, f"{at}/{name}")

    def fits(self, value, schema):
        try:
            self.check(value, schema)
            return True
        except AssertionError:
            return False


@pytest.fixture
def document(stub):
    return stub.ask("GET", "/openapi.json").json


ROUTE = {"name": "hdmi",
         "match": {"dpid": "1", "port": "s1-eth1", "vlan": 0,
                   "source": "192.168.168.55", "group": "226.2.2.2",
                   "proto": "udp", "udp_dst": 5004},
         "set": {"source": "10.1.0.10", "group": "239.1.1.1",
                 "udp_dst": 6001, "ttl": 16, "eth_src": "auto", "dscp": 46,
                 "vlan": 10},
         "to": [{"members": True},
                {"dpid": "1", "port": "s1-eth5",
                 "set": {"group": "239.1.1.2"}}]}
EXAMPLES = {"/v1/explain": "/v1/explain?dpid=1&in_port=1&source=10.0.0.1"
                           "&group=239.1.1.1&live=1",
            "/v1/switches/{dpid}": "/v1/switches/1",
            "/v1/groups/{vlan}/{group}": "/v1/groups/0/226.2.2.2",
            "/v1/topology/trees/{vlan}/{group}":
            "/v1/topology/trees/0/226.2.2.2",
            "/v1/routes/{name}": "/v1/routes/hdmi",
            "/v1/flows/{name}": "/v1/flows/f1",
            "/v1/members/{name}": "/v1/members/recorder"}
MEMBER = {"name": "recorder", "vlan": 10, "dpid": "1", "port": "s1-eth7",
          "group": "239.1.1.1", "mode": "include", "sources": ["10.1.0.5"]}


def test_no_name_stands_twice(stub):
    """The second would silently take the place of the first."""
    def once(pairs):
        names = [name for name, _ in pairs]
        assert len(set(names)) == len(names), sorted(names)
        return dict(pairs)
    json.loads(stub.ask("GET", "/openapi.json").body, object_pairs_hook=once)


def test_every_answer_is_as_described(stub, document):
    schemas = Schemas(document)
    bodies = {"/v1/routes/{name}": ROUTE, "/v1/flows/{name}":
              {"dpid": "1", "flow": "table=0,actions=drop"},
              "/v1/members/{name}": MEMBER}
    for pattern, body in bodies.items():
        put = document["paths"][pattern]["put"]
        schemas.check(body, put["requestBody"]["content"]
                      ["application/json"]["schema"])
        answer = stub.ask("PUT", EXAMPLES[pattern], body)
        assert answer.status == 201, answer.body
        schemas.check(answer.json, put["responses"]["201"]["content"]
                      ["application/json"]["schema"])
    stub.ask("PUT", "/v1/flows/g5", {"dpid": 1, "group": "group_id=5"})
    stub.ask("PUT", "/v1/members/uplink", {"dpid": 1, "port": 9,
                                           "router": True})
    for pattern, path in document["paths"].items():
        content = path["get"]["responses"]["200"]["content"]
        media, = content
        if media == "text/event-stream":
            continue
        answer = stub.ask("GET", EXAMPLES.get(pattern, pattern))
        assert answer.status == 200
        assert answer.headers["Content-Type"].startswith(media), pattern
        if "schema" in content[media]:
            schemas.check(answer.json, content[media]["schema"], pattern)


def test_problems_are_as_described(stub, document):
    schemas = Schemas(document)
    problem = document["components"]["schemas"]["Problem"]
    for method, path, body in (
            ("GET", "/v1/nothing", None), ("POST", "/v1/routes", None),
            ("GET", "/v1/groups?limit=x", None), ("PUT", "/v1/routes/r", {}),
            ("PUT", "/v1/flows/reject", {"dpid": 1, "flow": "x"})):
        answer = stub.ask(method, path, body)
        assert answer.status >= 400
        schemas.check(answer.json, problem)


def test_the_checker_sees(document):
    """A wrong value, a member too many, one that is missing."""
    schemas = Schemas(document)
    group = {"$ref": "#/components/schemas/Route"}
    assert schemas.fits(ROUTE, group)
    assert not schemas.fits({**ROUTE, "colour": 1}, group)
    assert not schemas.fits({**ROUTE, "match": {}}, group)
    assert not schemas.fits({**ROUTE, "set": {"ttl": 0}}, group)
    assert not schemas.fits({**ROUTE, "to": [{"members": False}]}, group)


def test_every_reference_leads_somewhere(document):
    schemas = Schemas(document)

    def walk(value):
        if isinstance(value, dict):
            if "$ref" in value:
                assert schemas.resolve(value)
            for item in value.values():
                walk(item)
        elif isinstance(value, list):
            for item in value:
                walk(item)

    walk(document)
