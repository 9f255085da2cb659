"""A receiver of OTLP traces over HTTP: prints each span as a line of JSON, and its port first."""

import json
from http.server import BaseHTTPRequestHandler, HTTPServer

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            service = {each.key: each.value.string_value for each in resource.resource.attributes}
            for span in (span for scope in resource.scope_spans for span in scope.spans):
                _print_span(self.path, service["service.name"], span)
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None: ...


def _print_span(path: str, service: str, span: object) -> None:
    attributes = {
        each.key: each.value.string_value or each.value.int_value for each in span.attributes
    }
    fields = {
        "path": path,
        "service": service,
        "name": span.name,
        "trace": span.trace_id.hex(),
        "parent": span.parent_span_id.hex(),
        "milliseconds": (span.end_time_unix_nano - span.start_time_unix_nano) / 1e6,
        "is_error": span.status.code == span.status.STATUS_CODE_ERROR,
        "attributes": attributes,
    }
    print(json.dumps(fields), flush=True)


if __name__ == "__main__":
    server = HTTPServer(("127.0.0.1", 0), _Handler)
    print(server.server_port, flush=True)
    server.serve_forever()
