/** Reasons for the served model: its errors on held-out rows, and those of the models it beat. */

import { byId, element } from "./dom.js";
import { formatNumber, formatPercent, formatTime, sentence } from "./format.js";

/** Show the errors of the served model beside those of its competitors. */
export function showQuality(model) {
  byId("quality").replaceChildren(
    summary(model),
    errorsTable(model),
    verdict(model),
    details(model),
  );
}

function summary({ competitors, errors }) {
  const [best] = competitors.toSorted((a, b) => a.errors.rmse - b.errors.rmse);
  if (!best) return element("p", {}, "It was not compared with other models on these rows.");
  const gain = 1 - errors.rmse / best.errors.rmse;
  const name = best.champion === null || best.champion === undefined ? `the ${best.name}` : best.name;
  const text =
    gain >= 0.005
      ? `Its error on held-out rows is ${formatPercent(gain)} lower than that of ${name}, the next best.`
      : `Its error on held-out rows is about that of ${name}.`;
  return element("p", {}, text);
}

function errorsTable({ champion, competitors, errors, target }) {
  const rows = [{ name: `champion ${champion}, which serves`, errors, isServed: true }, ...competitors];
  const largest = Math.max(...rows.map((row) => row.errors.rmse)) || 1;
  const unit = target.unit ? `, in ${target.unit}` : "";
  const heads = [`RMSE${unit}`, "MAE", "R²"].map((text) => element("th", { scope: "col" }, text));
  return element(
    "div",
    { class: "scroll", tabindex: 0, role: "region", "aria-label": "Errors on held-out rows" },
    element(
      "table",
      { class: "errors" },
      element("caption", { class: "visually-hidden" }, "Errors on held-out rows, which no trial has seen"),
      element("thead", {}, element("tr", {}, element("th", { scope: "col" }, "Model"), ...heads)),
      element("tbody", {}, ...rows.map((row) => errorsRow(row, largest))),
    ),
  );
}

function errorsRow({ name, errors, isServed }, largest) {
  const bar = element("span", { class: "size", "aria-hidden": "true" });
  bar.style.width = `${(errors.rmse / largest) * 100}%`;
  const cells = [errors.rmse, errors.mae, errors.r2].map((value, index) =>
    element("td", {}, value === null ? "–" : formatNumber(value, 3), index === 0 ? bar : null),
  );
  return element("tr", { class: isServed && "is-served" }, element("th", { scope: "row" }, name), ...cells);
}

function verdict({ override, promoted_at: promotedAt, verdict: text }) {
  const quote = element("blockquote", {}, sentence(text));
  const when = element("p", { class: "muted" }, `Promoted on ${formatTime(promotedAt)}. The verdict:`);
  if (!override) return element("div", {}, when, quote);
  const warning = element("p", { class: "notice warning" }, `It was promoted against the verdict: ${override}`);
  return element("div", {}, when, quote, warning);
}

function details({ digest, family, hyperparameters }) {
  const entries = [["Digest", digest], ["Family", family], ...Object.entries(hyperparameters)];
  const list = entries.flatMap(([name, value]) => {
    const text = typeof value === "number" ? formatNumber(value, 5) : value;
    return [element("dt", {}, name), element("dd", {}, text)];
  });
  return element("details", {}, element("summary", {}, "Digest and hyperparameters"), element("dl", {}, ...list));
}
