#!/usr/bin/python3
"""A canned API server for webhook configurations and secrets, over TLS: configurations.py CERT-FOLDER STATE-FILE

CERT-FOLDER holds tls.crt and tls.key. STATE-FILE is JSON, {PATH: OBJECT}; it is read before and written after each
request, and so is its neighbour STATE-FILE.faults, {"METHOD PATH": [STATUS...]}: what the next ones are answered instead.
"meanwhile" in that list: somebody else changes the object between reading and writing. Prints its port.
"""
import json
import os
import ssl
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer

FOLDER, STATE = sys.argv[1:]


def load(path):
    if not os.path.exists(path):
        return {}
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def save(path, value):
    with open(path + ".new", "w", encoding="utf-8") as file:
        json.dump(value, file)
    os.rename(path + ".new", path)


def json_patch(target, operations):
    for operation in operations:
        *parents, last = operation["path"].lstrip("/").split("/")
        at = target
        for step in parents:
            at = at[int(step)] if isinstance(at, list) else at[step]
        at[int(last) if isinstance(at, list) else last] = operation["value"]


def merge_patch(target, patch):
    for key, value in patch.items():
        if isinstance(value, dict):
            merge_patch(target.setdefault(key, {}), value)
        else:
            target[key] = value


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, body):
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def refuse(self, status):
        self.answer(status, {"kind": "Status", "status": "Failure", "message": f"canned {status}", "code": status})

    def fault(self, path):
        faults = load(STATE + ".faults")
        coming = faults.get(f"{self.command} {path}", [])
        fault = coming.pop(0) if coming else None
        save(STATE + ".faults", faults)
        return fault

    def find(self):
        path, _, query = self.path.partition("?")
        objects = load(STATE)
        fault = self.fault(path)
        if fault == "meanwhile":
            objects[path]["metadata"]["resourceVersion"] += "1"
            save(STATE, objects)
        elif fault is not None:
            self.refuse(fault)
            return None, None, None
        return path, query, objects

    def do_GET(self):
        path, _, objects = self.find()
        if path is None:
            return
        if path in objects:
            self.answer(200, objects[path])
            return
        below = [value for key, value in sorted(objects.items()) if os.path.dirname(key) == path]
        if below or path.endswith("configurations"):
            self.answer(200, {"kind": "List", "items": below})
        else:
            self.refuse(404)

    def do_PATCH(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        path, query, objects = self.find()
        if path is None:
            return
        if path not in objects:
            self.refuse(404)
            return
        changed = json.loads(json.dumps(objects[path]))
        patch = json_patch if self.headers["Content-Type"] == "application/json-patch+json" else merge_patch
        patch(changed, body)
        if changed["metadata"]["resourceVersion"] != objects[path]["metadata"]["resourceVersion"]:
            self.refuse(409)
            return
        changed["metadata"]["resourceVersion"] += "0"
        if "dryRun=All" not in query:
            objects[path] = changed
            save(STATE, objects)
        self.answer(200, changed)


def main():
    server = HTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(f"{FOLDER}/tls.crt", f"{FOLDER}/tls.key")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    print(server.server_address[1], flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
