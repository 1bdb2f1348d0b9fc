"""The shop's API: `GET /api/orders` lists, `POST /api/orders` with `{"item": "…"}` orders."""

import json
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from database import ask

LIST = "select coalesce(json_agg(orders order by id), '[]') from orders"
ORDER = "insert into orders (item) values (:'item') returning row_to_json(orders)"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if self.path == "/api/health":
            return self.answer(200, "{}")
        if self.path != "/api/orders":
            return self.answer(404, '{"error": "no such thing"}')
        return self.from_database(200, LIST)

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        try:
            item = json.loads(body)["item"]
        except (ValueError, KeyError, TypeError):
            return self.answer(400, '{"error": "an order is an object with an item"}')
        return self.from_database(201, ORDER, item=item)

    def from_database(self, status, sql, **values):
        try:
            return self.answer(status, ask(sql, **values))
        except RuntimeError as error:
            return self.answer(503, json.dumps({"error": str(error)}))

    def answer(self, status, body):
        body = body.encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


print("the shop is open", flush=True)
ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
