"""Small programs that behave as services do: answer `/readyz`, and end when asked, or not."""

from __future__ import annotations

SERVICE = """
import http.server, os, signal, sys
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = b'{"ready": true, "reasons": []}'
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_): pass
signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
print("serving")
http.server.HTTPServer(("127.0.0.1", int(os.environ["SAGA_HTTP_PORT"])), Answer).serve_forever()
"""
STUBBORN = SERVICE.replace("lambda *_: os._exit(0)", "signal.SIG_IGN")
BROKEN = "import sys; sys.exit(print('no such setting: SAGA_X') or 3)"
