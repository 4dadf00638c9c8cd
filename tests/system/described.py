"""What proto/openapi.yaml says of an answer, held against the answer. Clinic.ask() gives every one."""
import functools
import json
import re

import jsonschema
import yaml

from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
METHODS = ("get", "post", "put", "delete")


@functools.cache
def document():
    return yaml.load((TOP / "proto/openapi.yaml").read_text(), Loader=yaml.CSafeLoader)


def follow(node):
    """What a $ref names; anything else is itself."""
    while "$ref" in node:
        target = document()
        for part in node["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        node = target
    return node


@functools.cache
def operations():
    """(METHOD, path with {...}) and the operation."""
    return {(method.upper(), path): item[method]
            for path, item in document()["paths"].items() for method in METHODS if method in item}


@functools.cache
def _patterns():
    # A word before a {...}: /alarms/load is not /alarms/{number}.
    paths = sorted(document()["paths"], key=lambda path: (path.count("{"), path))
    return [(re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path))), path) for path in paths]


def find(method, path):
    """The described operation that a path is one of; None."""
    path = path.partition("?")[0]
    for pattern, described in _patterns():
        if pattern.fullmatch(path):
            return (method, described) if (method, described) in operations() else None
    return None


@functools.cache
def _validator(text):
    return jsonschema.Draft202012Validator(
        json.loads(text), resolver=jsonschema.RefResolver("", document()))


def check(schema, value, what):
    for error in _validator(json.dumps(schema)).iter_errors(value):
        where = "/".join(str(part) for part in error.absolute_path)
        raise AssertionError(f"{what} is not as proto/openapi.yaml says: at '{where}': "
                             f"{error.message[:600]}")


def check_answer(method, path, status, headers, body):
    """`headers` as a mapping, `body` as bytes."""
    what = f"{status} of {method} {path}"
    found = find(method, path)
    answers = operations()[found]["responses"] if found else {}
    if status >= 400:
        answer = follow({"$ref": "#/components/responses/Problem"})
    else:
        assert str(status) in answers, f"{what} is not described"
        answer = follow(answers[str(status)])
    kind = headers.get("Content-Type", "").partition(";")[0]
    assert kind in answer["content"], f"{what}: its type is {kind}"
    for name, header in answer.get("headers", {}).items():
        assert name in headers, f"{what}: has no {name}"
        check(follow(header)["schema"], headers[name], f"{name} of {what}")
    if kind.endswith("json") and method != "HEAD":
        check(answer["content"][kind]["schema"], json.loads(body), what)
