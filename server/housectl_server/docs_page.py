"""The page at /docs, which documents requests to this model. Unlike FastAPI's, it works offline."""

import json
import shlex
from html import escape
from string import Template

from housectl.contract.bundle import Bundle
from housectl.contract.schema import Exclusion, Feature

_PAGE = Template("""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Predict $target</title>
<style>
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem;
         margin: 2rem auto; padding: 0 1rem }
  table { border-collapse: collapse; width: 100% }
  th, td { text-align: left; vertical-align: top; padding: .3rem .8rem .3rem 0;
           border-bottom: 1px solid #8884 }
  pre { background: #8882; padding: .8rem; white-space: pre-wrap; overflow-wrap: anywhere }
  :root { color-scheme: light dark }
</style>
<h1>Predict $target</h1>
<p>$description Model version: $version.</p>
<h2>Request</h2>
<pre>$curl</pre>
<h2>Response</h2>
<pre>$response</pre>
<p>$unit The response to an invalid request names each invalid field.</p>
<h2>Fields</h2>
<p>Each field is a finite number. Values outside the range of the training data are accepted, and
<a href="health">/health</a> counts them.</p>
<table>
<tr><th>name<th>description<th>range in training<th>unit<th>example
$features
</table>
$exclusions
<p>OpenAPI description: <a href="openapi.json">/openapi.json</a></p>
</html>
""")


def render_docs_page(bundle: Bundle, *, url: str) -> str:
    """Return the page as HTML.

    Args:
        bundle: The served bundle.
        url: URL of the predict endpoint.
    """
    schema, example = bundle.record.schema, bundle.golden.rows[0]
    row = dict(zip(schema.feature_names, example.row, strict=True))
    target = schema.target
    texts = {
        "target": target.name,
        "description": f"{target.description.rstrip('.')}." if target.description else "",
        "version": bundle.version,
        "curl": f"curl {shlex.quote(url)} -d {shlex.quote(json.dumps(row))}",
        "response": json.dumps({target.response_key: example.prediction}),
        "unit": f"The unit is {target.unit}." if target.unit else "",
    }
    return _PAGE.substitute(
        {name: escape(text) for name, text in texts.items()},
        features="\n".join(map(_feature, schema.features, example.row)),
        exclusions=_exclusions(schema.exclusions),
    )


def _feature(feature: Feature, example: float) -> str:
    training_range = f"{feature.minimum:g} to {feature.maximum:g}"
    cells = (feature.name, feature.description, training_range, feature.unit, f"{example:g}")
    return "<tr>" + "".join(f"<td>{escape(cell)}" for cell in cells)


def _exclusions(exclusions: tuple[Exclusion, ...]) -> str:
    if not exclusions:
        return ""
    items = "".join(f"<li>{escape(each.name)}: {escape(each.reason)}" for each in exclusions)
    return f"<p>Accepted and ignored:</p>\n<ul>{items}</ul>"
