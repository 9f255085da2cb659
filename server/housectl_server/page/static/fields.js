/** The form fields of features: one card for each, with its value, its range and its error. */

import { dateFormat } from "./dates.js";
import { element, showText, svg } from "./dom.js";
import { formatNumber, sentence } from "./format.js";

const STRIP_WIDTH = 100;
const STRIP_HEIGHT = 14;
/** Width of a bar below which its height does not grow, as a fraction of the range. */
const MIN_BAR = 0.04;
const SLIDER_STEPS = 200;
const DAY_SECONDS = 86_400;

/**
 * Return the field of a feature.
 *
 * `read()` returns the value for a request, `write(cell)` sets it, `showError(text)` shows an error
 * of the server, and `matches(text)` is true if name or description contain a text.
 */
export function createField(feature, number, onChange) {
  const parts = createParts(feature, `feature-${number}`);
  const control = CONTROLS[feature.type](feature, parts);
  parts.body.append(...control.elements);
  const searched = `${feature.name}\n${feature.description}`.toLowerCase();
  const mark = () => {
    const text = parts.isMissing() ? "" : control.outside();
    showText(parts.outside, text);
    parts.card.classList.toggle("is-outside", Boolean(text));
  };
  const changed = () => {
    mark();
    onChange();
  };
  parts.onMissing((isMissing) => {
    control.disable(isMissing);
    changed();
  });
  control.onInput(changed);
  return {
    name: feature.name,
    element: parts.card,
    read: () => (parts.isMissing() ? null : control.read()),
    write(cell) {
      parts.setMissing(cell === null);
      control.disable(cell === null && feature.nullable);
      if (cell !== null) control.write(cell);
      mark();
    },
    showError(text) {
      showText(parts.error, text);
      parts.card.classList.toggle("is-invalid", Boolean(text));
      control.elements[0].querySelectorAll("input, select").forEach((each) => {
        each.setAttribute("aria-invalid", String(Boolean(text)));
      });
    },
    matches: (text) => searched.includes(text),
  };
}

/** Return the fields of all features, for one form. */
export function createFields(features, onChange) {
  return features.map((feature, number) => createField(feature, number, onChange));
}

const CONTROLS = {
  number: numberControl,
  datetime: dateControl,
  category: categoryControl,
  boolean: booleanControl,
};

function createParts(feature, id) {
  const label = element("label", { class: "name", for: id, id: `${id}-label` }, feature.name);
  const description = [sentence(feature.description), rangeText(feature)].filter(Boolean).join(" ");
  const hint = element("p", { class: "hint", id: `${id}-hint` }, description);
  const outside = element("p", { class: "outside", id: `${id}-outside`, role: "status", hidden: true });
  const error = element("p", { class: "error", id: `${id}-error`, role: "status", hidden: true });
  const body = element("div", { class: "control" });
  const described = `${id}-hint ${id}-outside ${id}-error`;
  const missing = feature.nullable && hasOwnValues(feature)
    ? element("input", { type: "checkbox", "aria-describedby": `${id}-label` })
    : null;
  const head = element("div", { class: "head" }, label);
  if (missing) head.append(element("label", { class: "missing" }, missing, "missing"));
  const card = element("div", { class: "feature" }, head, body, hint, outside, error);
  return {
    card,
    body,
    outside,
    error,
    attributes: { id, "aria-describedby": described },
    isMissing: () => missing?.checked ?? false,
    setMissing(isMissing) {
      if (missing) missing.checked = isMissing;
    },
    onMissing(listener) {
      missing?.addEventListener("change", () => listener(missing.checked));
    },
  };
}

/** Return true for a type whose control has no entry for a missing value. */
function hasOwnValues(feature) {
  return feature.type === "number" || feature.type === "datetime";
}

function rangeText(feature) {
  const unit = feature.unit ? ` ${feature.unit}` : "";
  if (feature.type === "number") {
    return `${formatNumber(feature.minimum, 6)} to ${formatNumber(feature.maximum, 6)}${unit}`;
  }
  return feature.type === "datetime" ? `${feature.minimum} to ${feature.maximum}` : "";
}

function numberControl(feature, { attributes }) {
  const { minimum, maximum } = feature;
  const input = element("input", { type: "text", inputmode: "decimal", spellcheck: "false", ...attributes });
  const unit = feature.unit ? element("span", { class: "unit" }, feature.unit) : null;
  const round = roundingOf(feature);
  const slider = createSlider(feature, minimum, maximum, (value) => {
    input.value = String(round(value));
  });
  const read = () => readNumber(input.value);
  return {
    elements: [element("div", { class: "entry" }, input, unit), ...slider.elements],
    read,
    write(cell) {
      input.value = String(cell);
      slider.write(cell, input.value);
    },
    outside() {
      const value = read();
      slider.write(value, `${input.value}${feature.unit ? ` ${feature.unit}` : ""}`);
      const isOutside = typeof value === "number" && (value < minimum || value > maximum);
      return isOutside ? `Outside the training range ${rangeText(feature)}.` : "";
    },
    disable: disabler(input, slider.input),
    onInput: listenTo(input, slider.input),
  };
}

function dateControl(feature, { attributes }) {
  const format = dateFormat(feature.format);
  const first = format?.read(feature.minimum) ?? null;
  const last = format?.read(feature.maximum) ?? null;
  const input = element("input", { type: "text", spellcheck: "false", ...attributes });
  const hasTime = feature.format === "iso8601" && `${feature.minimum}${feature.maximum}`.includes("T");
  const step = hasTime ? 1 : DAY_SECONDS;
  const hasSlider = first !== null && last !== null && first < last;
  const slider = hasSlider
    ? createSlider(feature, first, last, (value) => {
        input.value = format.write(Math.round(value / step) * step);
      })
    : { elements: [], input: null, write() {} };
  return {
    elements: [element("div", { class: "entry" }, input), ...slider.elements],
    read: () => input.value.trim() || null,
    write(cell) {
      input.value = String(cell);
      slider.write(format?.read(input.value) ?? null, input.value);
    },
    outside() {
      const value = format?.read(input.value.trim()) ?? null;
      slider.write(value, input.value);
      const isOutside = hasSlider && value !== null && (value < first || value > last);
      return isOutside ? `Outside the training range ${rangeText(feature)}.` : "";
    },
    disable: slider.input ? disabler(input, slider.input) : disabler(input),
    onInput: slider.input ? listenTo(input, slider.input) : listenTo(input),
  };
}

function categoryControl(feature, { attributes }) {
  const cells = [...feature.levels];
  const texts = [...feature.levels];
  if (feature.unknown_levels !== "refuse") {
    cells.push(unknownLevel(feature.levels));
    texts.push("(another text)");
  }
  if (feature.nullable) {
    cells.push(null);
    texts.push("(missing)");
  }
  return choiceControl(feature, attributes, cells, texts, (cell) =>
    cell !== null && !feature.levels.includes(cell) ? "Not among the levels in training." : "",
  );
}

function booleanControl(feature, { attributes }) {
  const cells = feature.nullable ? [false, true, null] : [false, true];
  const texts = ["no", "yes", "(missing)"].slice(0, cells.length);
  return choiceControl(feature, attributes, cells, texts, () => "");
}

function choiceControl(feature, attributes, cells, texts, outside) {
  const options = texts.map((text, index) => element("option", { value: index }, text));
  const select = element("select", attributes, ...options);
  const unit = feature.unit ? element("span", { class: "unit" }, feature.unit) : null;
  const read = () => cells[Number(select.value)];
  return {
    elements: [element("div", { class: "entry" }, select, unit)],
    read,
    write(cell) {
      const index = cells.indexOf(cell);
      select.value = String(index < 0 ? 0 : index);
    },
    outside: () => outside(read()),
    disable() {},
    onInput: listenTo(select),
  };
}

function createSlider(feature, minimum, maximum, onMove) {
  if (!(minimum < maximum)) return { elements: [], input: element("input"), write() {} };
  const input = element("input", {
    type: "range",
    min: 0,
    max: SLIDER_STEPS,
    step: "any",
    "aria-label": `${feature.name}, slider`,
  });
  const span = maximum - minimum;
  // The step of the arrow keys; a mouse moves in smaller ones.
  input.addEventListener("keydown", (event) => {
    const steps = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -10, PageUp: 10 };
    if (!(event.key in steps)) return;
    event.preventDefault();
    const step = Math.max(smallestStep(feature) / span * SLIDER_STEPS, 1);
    input.value = String(Number(input.value) + steps[event.key] * step);
    input.dispatchEvent(new Event("input"));
  });
  input.addEventListener("input", () => onMove(minimum + span * (Number(input.value) / SLIDER_STEPS)));
  const strip = feature.distribution ? createStrip(feature.distribution, minimum, maximum) : null;
  return {
    elements: [element("div", { class: "slide" }, strip, input)],
    input,
    write(value, text) {
      if (typeof value === "number" && document.activeElement !== input) {
        const place = Math.min(Math.max((value - minimum) / span, 0), 1);
        input.value = String(place * SLIDER_STEPS);
      }
      input.setAttribute("aria-valuetext", text);
    },
  };
}

/** Return a picture of the density of the training rows along a slider. */
function createStrip({ edges, counts }, minimum, maximum) {
  const ends = [minimum, ...edges.map((edge) => Math.min(Math.max(edge, minimum), maximum)), maximum];
  const bars = counts.map((count, index) => ({
    count,
    from: (ends[index] - minimum) / (maximum - minimum),
    width: (ends[index + 1] - ends[index]) / (maximum - minimum),
  }));
  const densities = bars.map(({ count, width }) => count / Math.max(width, MIN_BAR));
  const highest = Math.max(...densities) || 1;
  const shapes = bars.map(({ from, width }, index) => {
    const height = Math.max((densities[index] / highest) ** 0.6 * STRIP_HEIGHT, 0.5);
    return svg("rect", {
      x: from * STRIP_WIDTH,
      y: STRIP_HEIGHT - height,
      width: Math.max(width * STRIP_WIDTH, 0.7),
      height,
    });
  });
  const view = { viewBox: `0 0 ${STRIP_WIDTH} ${STRIP_HEIGHT}`, preserveAspectRatio: "none" };
  return svg("svg", { class: "strip", "aria-hidden": "true", ...view }, ...shapes);
}

/** Return a function that rounds a value of a slider as people would write it. */
function roundingOf(feature) {
  const step = smallestStep(feature);
  const decimals = Math.max(0, -Math.floor(Math.log10(step)));
  return (value) => {
    const rounded = decimals > 15 ? value : Number((Math.round(value / step) * step).toFixed(decimals));
    return Math.min(Math.max(rounded, feature.minimum), feature.maximum);
  };
}

/** Return 1 for whole numbers, else a power of ten that is about a thousandth of the range. */
function smallestStep(feature) {
  const seen = [feature.minimum, feature.maximum, feature.example, ...(feature.distribution?.edges ?? [])];
  const span = feature.maximum - feature.minimum;
  const step = 10 ** Math.floor(Math.log10(span / 300));
  const isWhole = seen.every((value) => value === null || Number.isInteger(value));
  return isWhole ? Math.max(step, 1) : step;
}

function readNumber(text) {
  const trimmed = text.trim();
  if (trimmed === "") return null;
  // The server explains a text that is no number.
  return /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/iu.test(trimmed) ? Number(trimmed) : trimmed;
}

/** Return a text that is not a level. */
function unknownLevel(levels) {
  let text = "other";
  while (levels.includes(text)) text += "_";
  return text;
}

function disabler(...inputs) {
  return (isDisabled) => {
    for (const input of inputs) input.disabled = isDisabled;
  };
}

function listenTo(...inputs) {
  return (listener) => {
    for (const input of inputs) input.addEventListener("input", listener);
  };
}
