"""The page at /docs, which documents requests to this model. Unlike FastAPI's, it works offline."""

import json
import shlex
from base64 import b64encode
from hashlib import sha256
from html import escape
from string import Template

from housectl.contract.bundle import Bundle
from housectl.contract.cells import Cell
from housectl.contract.schema import Feature
from housectl_server.http.api_keys import API_KEY_HEADER
from housectl_server.model.feature_texts import describe_training, describe_type
from housectl_server.model.row_model import example_row, ignored_fields

_STYLE = """
  :root { color-scheme: light dark }
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem;
         overflow-wrap: anywhere }
  pre { background: #8882; padding: .8rem; white-space: pre-wrap }
  table { border-collapse: collapse; width: 100% }
  th, td { text-align: left; vertical-align: top; padding: .3rem .8rem .3rem 0;
           overflow-wrap: break-word }
  tr { border-bottom: 1px solid #8884 }
  @media (max-width: 40rem) {
    th { display: none }
    tr, td { display: block; overflow-wrap: anywhere }
    td { padding: .1rem 0 }
    td:first-child { font-weight: bold; padding-top: .5rem }
    td:last-child { padding-bottom: .5rem }
    td:not(:first-child)::before { content: attr(data-label) ": " }
    td:empty { display: none }
  }
"""
# Only the style of this page may load: no script, no image, no frame and no form.
_STYLE_HASH = b64encode(sha256(_STYLE.encode()).digest()).decode()
PAGE_HEADERS = {
    "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
}
_COLUMNS = ("name", "description", "type", "in training", "unit", "may be missing", "example")
_MISSING = " Send null for a missing value, or omit the field."
_PAGE = Template("""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Predict $target</title>
<style>$style</style>
<h1>Predict $target</h1>
<p>$description Model version: $version.</p>
<h2>Request</h2>
<pre>$curl</pre>
<h2>Response</h2>
<pre>$response</pre>
<p>$unit The response to an invalid request names each invalid field.</p>
<h2>Fields</h2>
<p>Numbers are finite. Values outside the range of the training data are accepted, and
<a href="health">/health</a> counts them.$missing</p>
<table>
<tr>$columns
$features
</table>
<p>Accepted and ignored:</p>
<ul>$ignored</ul>
<p>OpenAPI description: <a href="openapi.json">/openapi.json</a></p>
</html>
""")


def render_docs_page(bundle: Bundle, *, url: str, requires_key: bool) -> str:
    """Return the page as HTML.

    Args:
        bundle: The served bundle.
        url: URL of the predict endpoint.
        requires_key: True if the server refuses requests without an API key.
    """
    schema, example = bundle.record.schema, example_row(bundle.golden)
    row = dict(zip(schema.feature_names, example.row, strict=True))
    target = schema.target
    key_header = f' -H "{API_KEY_HEADER}: $HOUSECTL_API_KEY"' if requires_key else ""
    texts = {
        "target": target.name,
        "description": f"{target.description.rstrip('.')}." if target.description else "",
        "version": bundle.version,
        "missing": _MISSING if any(each.type.nullable for each in schema.features) else "",
        "curl": f"curl {shlex.quote(url)}{key_header} -d {shlex.quote(json.dumps(row))}",
        "response": json.dumps({target.response_key: example.prediction}),
        "unit": f"The unit is {target.unit}." if target.unit else "",
    }
    return _PAGE.substitute(
        {name: escape(text) for name, text in texts.items()},
        style=_STYLE,
        columns="".join(f"<th>{column}" for column in _COLUMNS),
        features="\n".join(map(_feature, schema.features, example.row)),
        ignored="".join(
            f"<li>{escape(name)}: {escape(reason)}"
            for name, reason in ignored_fields(schema).items()
        ),
    )


def _feature(feature: Feature, example: Cell) -> str:
    cells = (
        feature.name,
        feature.description,
        describe_type(feature.type),
        describe_training(feature),
        feature.unit,
        "yes" if feature.type.nullable else "no",
        _shown(example),
    )
    return "<tr>" + "".join(
        f'<td data-label="{column}">{escape(cell)}'
        for column, cell in zip(_COLUMNS, cells, strict=True)
    )


def _shown(example: Cell) -> str:
    """Return an example as JSON, and a number with few digits."""
    if isinstance(example, float):
        return f"{example:g}"
    return json.dumps(example, ensure_ascii=False)
