/** The history of champions as a chart, and as a table. */

import { byId, element, svg } from "./dom.js";
import { formatDate, formatNumber, formatTime, sentence } from "./format.js";

const HEIGHT = 200;
const MARGIN = { top: 14, right: 16, bottom: 26, left: 48 };
const TICKS = 4;

let observer;

/** Show the history of a model's champions. */
export function showHistory(model) {
  const chart = element("div", { class: "chart" });
  byId("history").replaceChildren(
    element("p", {}, summaryText(model.history)),
    chart,
    legend(model.history),
    tableOf(model),
  );
  observer?.disconnect();
  observer = new ResizeObserver(() => {
    if (chart.clientWidth > 0) chart.replaceChildren(draw(model, chart.clientWidth));
  });
  observer.observe(chart);
}

function summaryText(history) {
  const rollbacks = history.filter((entry) => entry.action === "rollback").length;
  const promotions = history.length - rollbacks;
  const parts = [`${promotions} ${promotions === 1 ? "promotion" : "promotions"}`];
  if (rollbacks > 0) parts.push(`${rollbacks} ${rollbacks === 1 ? "rollback" : "rollbacks"}`);
  return `${parts.join(" and ")}. Lower is better, among champions with the same held-out rows.`;
}

function draw({ history, target }, width) {
  const errors = history.map((entry) => entry.holdout_rmse);
  const ticks = niceTicks(Math.min(...errors), Math.max(...errors));
  const [low, high] = [ticks[0], ticks.at(-1)];
  const right = width - MARGIN.right;
  const bottom = HEIGHT - MARGIN.bottom;
  const span = Math.max(history.length - 1, 1);
  const x = (index) => history.length === 1
    ? (MARGIN.left + right) / 2
    : MARGIN.left + 14 + (index / span) * (right - MARGIN.left - 28);
  const y = (value) => bottom - ((value - low) / (high - low)) * (bottom - MARGIN.top);
  const grid = ticks.flatMap((tick) => [
    svg("line", { class: "grid", x1: MARGIN.left, x2: right, y1: y(tick), y2: y(tick) }),
    svg("text", { class: "tick", x: MARGIN.left - 8, y: y(tick) + 4, "text-anchor": "end" }, formatNumber(tick, 4)),
  ]);
  const path = history.map(({ holdout_rmse: error }, index) =>
    index === 0 ? `M${x(0)},${y(error)}` : `H${(x(index - 1) + x(index)) / 2}V${y(error)}H${x(index)}`,
  );
  const end = history.length > 1 ? `H${right}` : "";
  const labels = labelled(history.length, right - MARGIN.left).map((index) =>
    svg("text", { class: "tick", x: x(index), y: HEIGHT - 8, "text-anchor": "middle" }, String(history[index].number)),
  );
  const points = history.map((entry, index) => point(entry, x(index), y(entry.holdout_rmse), index === history.length - 1));
  const label = `Error of each champion on held-out rows: RMSE${target.unit ? ` in ${target.unit}` : ""}, by number. The table below has the same data.`;
  return svg(
    "svg",
    { role: "img", "aria-label": label, width, height: HEIGHT, viewBox: `0 0 ${width} ${HEIGHT}` },
    ...grid,
    svg("path", { class: "steps", d: `${path.join("")}${end}` }),
    ...points,
    ...labels,
  );
}

function point(entry, x, y, isNewest) {
  const title = svg("title", {}, `${entryText(entry)}: RMSE ${formatNumber(entry.holdout_rmse)}. ${entry.reason}`);
  const names = ["point", entry.action, entry.override ? "is-override" : "", isNewest ? "is-newest" : ""];
  const attributes = { class: names.filter(Boolean).join(" ") };
  if (entry.action === "rollback") {
    return svg("path", { ...attributes, d: `M${x},${y - 6}L${x + 6},${y}L${x},${y + 6}L${x - 6},${y}Z` }, title);
  }
  return svg("circle", { ...attributes, cx: x, cy: y, r: isNewest ? 6 : 4.5 }, title);
}

function entryText({ action, at, number, override }) {
  const kind = override ? "promotion against the verdict" : action;
  return `Champion ${number}, ${kind} on ${formatDate(at)}`;
}

function legend(history) {
  const kinds = [
    ["promotion", "promotion", (entry) => entry.action === "promotion" && !entry.override],
    ["promotion is-override", "promotion against the verdict", (entry) => Boolean(entry.override)],
    ["rollback", "rollback", (entry) => entry.action === "rollback"],
  ];
  const shown = kinds.filter(([, , isKind]) => history.some(isKind));
  const entries = shown.map(([kind, text]) => {
    const mark = kind === "rollback"
      ? svg("path", { class: `point ${kind}`, d: "M7,1L13,7L7,13L1,7Z" })
      : svg("circle", { class: `point ${kind}`, cx: 7, cy: 7, r: 5 });
    return element("span", {}, svg("svg", { width: 14, height: 14, "aria-hidden": "true" }, mark), text);
  });
  return element("p", { class: "legend" }, ...entries);
}

function tableOf({ history, target }) {
  const unit = target.unit ? `, ${target.unit}` : "";
  const heads = ["Number", "Change", "Time", "Version", `RMSE${unit}`, "Reason"];
  const rows = history.toReversed().map((entry) => {
    const change = entry.override ? "promotion against the verdict" : entry.action;
    const cells = [change, formatTime(entry.at), entry.version, formatNumber(entry.holdout_rmse)];
    const reason = [entry.reason, entry.override].filter(Boolean).map(sentence).join(" ");
    return element(
      "tr",
      {},
      element("th", { scope: "row" }, String(entry.number)),
      ...[...cells, reason].map((text) => element("td", {}, text)),
    );
  });
  const head = element("tr", {}, ...heads.map((text) => element("th", { scope: "col" }, text)));
  const table = element(
    "table",
    {},
    element("caption", { class: "visually-hidden" }, "History of champions, the newest first"),
    element("thead", {}, head),
    element("tbody", {}, ...rows),
  );
  const region = { class: "scroll", tabindex: 0, role: "region", "aria-label": "History of champions" };
  return element("details", {}, element("summary", {}, "Show as a table"), element("div", region, table));
}

/** Return about four round numbers that cover a range. */
function niceTicks(lowest, highest) {
  const span = highest - lowest || Math.abs(highest) * 0.2 || 1;
  const raw = span / TICKS;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((each) => each >= raw);
  const first = Math.floor((lowest - span * 0.08) / step);
  const last = Math.ceil((highest + span * 0.08) / step);
  const ticks = Array.from({ length: last - first + 1 }, (_, index) => (first + index) * step);
  return ticks.filter((tick) => tick >= 0 || lowest < 0);
}

/** Return the indices of points whose labels fit side by side. */
function labelled(count, width) {
  const every = Math.ceil(count / Math.max(Math.floor(width / 44), 1));
  return Array.from({ length: count }, (_, index) => index).filter((index) => (count - 1 - index) % every === 0);
}
