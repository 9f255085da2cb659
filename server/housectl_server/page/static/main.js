/** The page: shows the served model, and follows promotions. */

import { get, ProblemError } from "./api.js";
import { createBatchView } from "./batch_view.js";
import { createContributions } from "./contributions.js";
import { byId, showText } from "./dom.js";
import { createFields } from "./fields.js";
import { formatAge, formatTime, sentence } from "./format.js";
import { showHistory } from "./history.js";
import { followLatest } from "./latest.js";
import { createPrediction } from "./prediction.js";
import { showQuality } from "./quality.js";

const POLL_MS = 5000;
const POLL_WITHOUT_MODEL_MS = 2000;
const MANY_FEATURES = 12;

/** The shown model with its parts; null before the first promotion. */
let shown = null;
let timer;

function show(model) {
  const values = shown ? readValues(shown.fields) : new Map();
  shown?.close();
  document.title = `Predict ${model.target.name}`;
  byId("title").textContent = `Predict ${model.target.name}`;
  showText(byId("description"), sentence(model.target.description));
  const contributions = createContributions(model);
  let prediction = null;
  const fields = createFields(model.features, () => prediction.update());
  prediction = createPrediction(model, fields, (row) => contributions.update(row));
  showFields(fields);
  const closeBatch = createBatchView(model);
  showQuality(model);
  showHistory(model);
  shown = {
    model,
    fields,
    update: prediction.update,
    close() {
      prediction.close();
      contributions.close();
      closeBatch();
    },
  };
  writeValues(values);
  showAge();
  byId("empty").hidden = true;
  byId("served").hidden = false;
}

function readValues(fields) {
  return new Map(fields.map((field) => [field.name, field.read()]));
}

/** Fill the form with examples, or with values that were there before. */
function writeValues(values) {
  shown.model.features.forEach((feature, index) => {
    const isKept = values.has(feature.name) && (values.get(feature.name) !== null || feature.nullable);
    shown.fields[index].write(isKept ? values.get(feature.name) : feature.example);
  });
  shown.update();
}

function showFields(fields) {
  byId("features").replaceChildren(...fields.map((field) => field.element));
  byId("filter-row").hidden = fields.length <= MANY_FEATURES;
  filterFields(fields);
}

function filterFields(fields) {
  const text = byId("filter").value.trim().toLowerCase();
  const matching = fields.filter((field) => {
    const isShown = field.matches(text);
    field.element.hidden = !isShown;
    return isShown;
  });
  byId("filter-count").textContent = `${matching.length} of ${fields.length} features`;
}

function showAge() {
  const { champion, serving_since: since, version } = shown.model;
  byId("serving").textContent = `Champion ${champion}, version ${version}, serves since ${formatTime(since)} (${formatAge(since)}).`;
}

function showEmpty() {
  byId("served").hidden = true;
  byId("empty").hidden = false;
}

function notify(text, kind) {
  const notice = byId("notice");
  notice.classList.toggle("warning", kind === "warning");
  showText(notice, text);
}

/** Look at the server once, and show a new model. */
async function follow() {
  const health = await get("health");
  if (health.champion === null) {
    showEmpty();
    return;
  }
  const former = shown?.model.champion ?? null;
  if (former !== health.champion || shown.model.digest !== health.model_digest) {
    show(await get("model"));
  }
  showAge();
  byId("serving").classList.toggle("is-degraded", health.status === "degraded");
  if (health.status === "degraded") {
    notify(`The newest champion is not served: ${health.reason}`, "warning");
  } else if (former !== null && former !== shown.model.champion) {
    notify(`Champion ${shown.model.champion} replaced champion ${former}. Your inputs were kept.`, "news");
  } else if (byId("notice").classList.contains("warning")) {
    notify("", "news");
  }
}

const poll = followLatest(async () => {
  clearTimeout(timer);
  if (document.hidden) return;
  try {
    await follow();
  } catch (error) {
    notify(error instanceof ProblemError ? error.message : `${error.message} Trying again.`, "warning");
  }
  timer = setTimeout(poll, shown ? POLL_MS : POLL_WITHOUT_MODEL_MS);
}, 0);

byId("filter").addEventListener("input", () => filterFields(shown.fields));
byId("reset").addEventListener("click", () => writeValues(new Map()));
byId("features").addEventListener("submit", (event) => event.preventDefault());
// A file that misses the drop zone would replace the page.
for (const name of ["dragover", "drop"]) {
  window.addEventListener(name, (event) => event.preventDefault());
}
document.addEventListener("visibilitychange", poll);
poll();
