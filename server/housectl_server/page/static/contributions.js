/** The contribution of each feature to the prediction. */

import { post } from "./api.js";
import { byId, element } from "./dom.js";
import { formatOnScale, formatSigned, plural } from "./format.js";
import { followLatest } from "./latest.js";
import { scaleOf, unitOf } from "./prediction.js";

const PAUSE_MS = 120;
const SHOWN = 8;

/** Return the contributions of a model; `update(row)` explains the prediction of a row soon. */
export function createContributions(model) {
  const view = byId("contributions");
  view.replaceChildren(element("p", { class: "muted" }, "…"));
  let isClosed = false;
  let showAll = false;
  let row;
  let last;

  const update = followLatest(async () => {
    if (isClosed) return;
    try {
      const { body } = await post("explain", row);
      if (isClosed) return;
      last = body;
      show();
    } catch (error) {
      if (isClosed || error.status === 422 || error.status === 503 || error.status === undefined) return;
      isClosed = true;
      view.replaceChildren(element("p", { class: "muted" }, reasonOf(error)));
    }
  }, PAUSE_MS);

  function show() {
    const items = last.contributions.toSorted((a, b) => Math.abs(b.contribution) - Math.abs(a.contribution));
    const shown = showAll ? items : items.slice(0, SHOWN);
    const hadFocus = view.contains(document.activeElement);
    view.replaceChildren(...table(model, last, shown, items.slice(shown.length)));
    if (items.length <= SHOWN) return;
    const text = showAll ? "Show fewer features" : `Show all ${plural(items.length, "feature")}`;
    const button = element("button", { type: "button", class: "quiet", "aria-expanded": String(showAll) }, text);
    button.addEventListener("click", () => {
      showAll = !showAll;
      show();
    });
    view.append(button);
    if (hadFocus) button.focus();
  }

  return {
    update(newRow) {
      row = newRow;
      update();
    },
    close() {
      isClosed = true;
    },
  };
}

function reasonOf(error) {
  return error.status === 404 ? "This server computes no contributions." : error.message;
}

function table(model, answer, shown, rest) {
  const isLog = answer.scale === "log";
  const scale = scaleOf(model);
  const write = isLog
    ? (value) => `× ${Math.exp(value).toFixed(3)}`
    : (value) => formatSigned(value, scale);
  const largest = Math.max(...shown.map(({ contribution }) => Math.abs(contribution)), Number.MIN_VALUE);
  const rows = shown.map(({ feature, value, contribution }) =>
    contributionRow(feature, cellText(value), contribution, largest, write),
  );
  if (rest.length > 0) {
    const sum = rest.reduce((total, { contribution }) => total + contribution, 0);
    rows.push(contributionRow(`${plural(rest.length, "other feature")}`, "", sum, largest, write));
  }
  const unit = unitOf(model.target);
  const start = isLog ? Math.exp(answer.baseline) : answer.baseline;
  return [
    element(
      "table",
      { class: "contributions" },
      element("caption", {}, `From the average of the training rows, ${formatOnScale(start, scale)}${unit}, to the prediction`),
      element(
        "thead",
        { class: "visually-hidden" },
        element("tr", {}, ...["Feature", "Contribution"].map((text) => element("th", { scope: "col" }, text))),
      ),
      element("tbody", {}, ...rows),
    ),
  ];
}

function contributionRow(name, value, contribution, largest, write) {
  const bar = element("span", { class: contribution < 0 ? "amount is-negative" : "amount" });
  bar.style.width = `${Math.min(Math.abs(contribution) / largest, 1) * 50}%`;
  return element(
    "tr",
    {},
    element("th", { scope: "row" }, `${name} `, element("span", { class: "cell" }, value)),
    element(
      "td",
      {},
      element("span", { class: "amounts", "aria-hidden": "true" }, bar),
      element("span", { class: "number" }, write(contribution)),
    ),
  );
}

function cellText(value) {
  if (value === null) return "missing";
  if (typeof value === "boolean") return value ? "yes" : "no";
  return String(value);
}
