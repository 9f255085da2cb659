/** The live prediction of the form, among the targets of the training rows. */

import { post, UnreachableError } from "./api.js";
import { byId, element, showText, svg } from "./dom.js";
import { formatNumber, formatOnScale, formatPercent } from "./format.js";
import { followLatest } from "./latest.js";

const PAUSE_MS = 40;
const RETRY_MS = 2000;
const QUIET_MS = 900;
const HEIGHT = 40;

/**
 * Return the live prediction of a model.
 *
 * `update()` predicts the values of the form soon; `onAnswer(row)` is called after each prediction.
 */
export function createPrediction(model, fields, onAnswer) {
  const { target, errors } = model;
  const scale = scaleOf(model);
  const picture = target.distribution ? createHistogram(target) : null;
  byId("distribution").replaceChildren(...(picture ? [picture.element] : [noHistogram()]));
  showText(byId("unit"), target.unit);
  showText(
    byId("error-range"),
    `Typical error: ± ${formatNumber(errors.rmse, 3)}${unitOf(target)}, measured on held-out rows.`,
  );
  const speak = createSpeaker();
  let retry;
  let isClosed = false;

  const update = followLatest(async () => {
    if (isClosed) return;
    clearTimeout(retry);
    const row = readRow(fields);
    try {
      const { body } = await post("predict", row);
      if (isClosed) return;
      show(body[target.response_key]);
      showErrors(fields, []);
      showText(byId("problem"), "");
      onAnswer(row);
    } catch (error) {
      if (isClosed) return;
      showFailure(error);
    }
  }, PAUSE_MS);

  function show(value) {
    const text = formatOnScale(value, scale);
    byId("prediction").textContent = text;
    byId("bottom").textContent = `${target.name}: ${text}${unitOf(target)}`;
    byId("prediction").classList.remove("is-old");
    picture?.show(value, errors.rmse);
    speak(`${text}${unitOf(target)}`);
  }

  function showFailure(error) {
    byId("prediction").classList.add("is-old");
    const others = showErrors(fields, error.errors ?? []);
    const isTemporary = error instanceof UnreachableError || error.status === 503;
    const hasFields = (error.errors ?? []).length > others.length;
    const text = hasFields ? "Correct the marked inputs." : error.message;
    showText(byId("problem"), isTemporary ? `${error.message} Trying again.` : text);
    if (isTemporary) retry = setTimeout(update, RETRY_MS);
  }

  return {
    update,
    close() {
      isClosed = true;
      clearTimeout(retry);
    },
  };
}

/** Return the scale on which two predictions differ. */
export function scaleOf({ errors, target }) {
  return target.range ? target.range[1] - target.range[0] : errors.rmse * 10;
}

/** Return the unit after a number; empty without one. */
export function unitOf({ unit }) {
  return unit && ` ${unit}`;
}

function readRow(fields) {
  return Object.fromEntries(fields.map((field) => [field.name, field.read()]));
}

/** Show each error at its field; return the errors of other fields. */
function showErrors(fields, errors) {
  const texts = new Map(
    errors.map(({ field, problem, expected }) => [field, `The value ${problem}. Expected: ${expected}.`]),
  );
  for (const field of fields) field.showError(texts.get(field.name) ?? "");
  const names = new Set(fields.map((field) => field.name));
  return errors.filter(({ field }) => !names.has(field));
}

/** Return a function that tells screen readers a value once it stays the same for a moment. */
function createSpeaker() {
  let timer;
  return (text) => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      byId("spoken").textContent = `Prediction: ${text}`;
    }, QUIET_MS);
  };
}

function noHistogram() {
  return element("p", { class: "muted" }, "This model was sealed without the distribution of its training data.");
}

function createHistogram(target) {
  const { edges, counts } = target.distribution;
  const [lowest, highest] = target.range;
  const ends = [lowest, ...edges, highest];
  const place = (value) => Math.min(Math.max((value - lowest) / (highest - lowest || 1), 0), 1);
  const heights = barHeights(counts, ends);
  const bars = heights.map((height, index) =>
    svg("rect", {
      x: place(ends[index]) * 100,
      width: Math.max((place(ends[index + 1]) - place(ends[index])) * 100 - 0.4, 0.3),
      y: HEIGHT - height,
      height,
    }),
  );
  const band = element("div", { class: "band" });
  const marker = element("div", { class: "marker" });
  const picture = svg("svg", { viewBox: `0 0 100 ${HEIGHT}`, preserveAspectRatio: "none" }, ...bars);
  const plot = element("div", { class: "plot", "aria-hidden": "true" }, picture, band, marker);
  const axis = element(
    "p",
    { class: "axis", "aria-hidden": "true" },
    element("span", {}, formatNumber(lowest)),
    element("span", {}, `${target.name} in the training rows`),
    element("span", {}, formatNumber(highest)),
  );
  const caption = element("p", { class: "share" });
  return {
    element: element("div", { class: "histogram" }, caption, plot, axis),
    show(value, error) {
      const from = place(value - error);
      marker.style.left = `${place(value) * 100}%`;
      band.style.left = `${from * 100}%`;
      band.style.width = `${(place(value + error) - from) * 100}%`;
      bars.forEach((bar, index) => {
        const isLast = index === bars.length - 1;
        bar.classList.toggle("is-below", isLast ? value > ends[index + 1] : value >= ends[index + 1]);
      });
      caption.textContent = shareText(value, target, ends);
    },
  };
}

/** Return heights whose areas are the counts. The outer bins are wider or narrower than the others. */
function barHeights(counts, ends) {
  const widths = counts.map((_, index) => ends[index + 1] - ends[index]);
  const inner = widths.slice(1, -1);
  const usual = inner.length > 0 ? Math.min(...inner) : 0;
  const densities = counts.map((count, index) => count / (Math.max(widths[index], usual) || 1));
  const largest = Math.max(...densities) || 1;
  return densities.map((density) => (density / largest) * HEIGHT);
}

function shareText(value, target, ends) {
  const { counts } = target.distribution;
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (value <= ends[0]) return "Not above any target in the training rows.";
  if (value >= ends.at(-1)) return "Not below any target in the training rows.";
  const below = counts.reduce((sum, count, index) => {
    const width = ends[index + 1] - ends[index];
    const part = width > 0 ? (value - ends[index]) / width : Number(value > ends[index]);
    return sum + count * Math.min(Math.max(part, 0), 1);
  }, 0);
  return `Above about ${formatPercent(below / total)} of the training rows.`;
}
