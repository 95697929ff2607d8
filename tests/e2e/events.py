#!/usr/bin/python3
"""Makes changes in a cluster, as fast as it takes them: events.py SERVER FOLDER-OF-KEYS N

Nodes and claims get another label again and again, over eight connections. Prints how many changes were taken and the seconds that
took. FOLDER-OF-KEYS holds ca.crt, admin.crt and admin.key.
"""
import http.client
import json
import ssl
import sys
import threading
import time
import urllib.parse

CONNECTIONS = 8


class Changer(threading.Thread):
    def __init__(self, server, context, paths, times, number):
        super().__init__()
        self.server, self.context, self.paths, self.times, self.number = server, context, paths, times, number
        self.taken = 0

    def run(self):
        connection = http.client.HTTPSConnection(self.server, context=self.context, timeout=30)
        for i in range(self.times):
            path = self.paths[i % len(self.paths)]
            body = json.dumps({"metadata": {"labels": {f"soak-{self.number}": str(i)}}})
            try:
                connection.request("PATCH", path, body, {"Content-Type": "application/merge-patch+json"})
                response = connection.getresponse()
                response.read()
                self.taken += response.status == 200
            except OSError:
                connection.close()


def main():
    server, keys, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
    context = ssl.create_default_context(cafile=f"{keys}/ca.crt")
    context.load_cert_chain(f"{keys}/admin.crt", f"{keys}/admin.key")
    host = urllib.parse.urlsplit(server).netloc
    connection = http.client.HTTPSConnection(host, context=context, timeout=30)
    paths = []
    for collection in ("/api/v1/nodes", "/api/v1/persistentvolumeclaims"):
        connection.request("GET", collection)
        for one in json.loads(connection.getresponse().read())["items"]:
            metadata = one["metadata"]
            below = f"/namespaces/{metadata['namespace']}" if "namespace" in metadata else ""
            paths.append(f"/api/v1{below}/{collection.rsplit('/', 1)[1]}/{metadata['name']}")
    # A connection has objects of its own, so that no two changes of one object meet.
    changers = [Changer(host, context, paths[i::CONNECTIONS], count // CONNECTIONS, i) for i in range(CONNECTIONS)]
    started = time.monotonic()
    for changer in changers:
        changer.start()
    for changer in changers:
        changer.join()
    print(sum(changer.taken for changer in changers), round(time.monotonic() - started, 1))


if __name__ == "__main__":
    main()
