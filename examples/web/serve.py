#!/usr/bin/env python3
"""Serves the repository, and with it examples/web/, on localhost.

    ./build.sh && python3 examples/web/serve.py [--isolated] [--port 8000]

With --isolated the page is cross-origin isolated: browsers then let performance.now() have finer steps.
Without it, `python3 -m http.server` in the repository's root does the same.
"""

import argparse
import functools
import http.server
import pathlib

ROOT = pathlib.Path(__file__).resolve().parents[2]


class Handler(http.server.SimpleHTTPRequestHandler):
    extensions_map = {
        **http.server.SimpleHTTPRequestHandler.extensions_map,
        ".js": "text/javascript",
        ".wasm": "application/wasm",
    }
    isolated = False

    def end_headers(self):
        self.send_header("Cache-Control", "no-store")
        if self.isolated:
            self.send_header("Cross-Origin-Opener-Policy", "same-origin")
            self.send_header("Cross-Origin-Embedder-Policy", "require-corp")
        super().end_headers()

    def log_message(self, *_):
        pass


def main():
    parser = argparse.ArgumentParser(description="Serves examples/web/ on localhost.")
    parser.add_argument("--isolated", action="store_true", help="send the headers of isolation")
    parser.add_argument("--port", type=int, default=8000, help="0 for any that is free")
    options = parser.parse_args()
    Handler.isolated = options.isolated
    handler = functools.partial(Handler, directory=ROOT)
    with http.server.ThreadingHTTPServer(("127.0.0.1", options.port), handler) as server:
        print(f"http://127.0.0.1:{server.server_address[1]}/examples/web/", flush=True)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            pass


if __name__ == "__main__":
    main()
