/** Texts of numbers and times. */

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const DATE_AND_TIME = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "short" });
const DATE = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium" });

/** Return a number with a few significant digits, as people write it. */
export function formatNumber(value, digits = 4) {
  const size = Math.abs(value);
  if (size !== 0 && (size >= 1e9 || size < 1e-4)) return withMinus(value.toExponential(digits - 1));
  const format = new Intl.NumberFormat("en-GB", {
    maximumSignificantDigits: Math.max(digits, Math.ceil(Math.log10(size + 1))),
    useGrouping: size >= 10_000,
  });
  return withMinus(format.format(value));
}

/** Return a number with as many decimals as a fraction of this scale needs. */
export function formatOnScale(value, scale) {
  const decimals = decimalsOf(scale);
  if (decimals === null || Math.abs(value) >= 1e9) return formatNumber(value);
  const format = new Intl.NumberFormat("en-GB", {
    minimumFractionDigits: decimals,
    maximumFractionDigits: decimals,
    useGrouping: Math.abs(value) >= 10_000,
  });
  return withMinus(format.format(value));
}

/** Return a difference with its sign. */
export function formatSigned(value, scale) {
  const text = formatOnScale(Math.abs(value), scale);
  const isZero = Number(text.replaceAll(",", "")) === 0;
  return isZero ? text : `${value < 0 ? "−" : "+"}${text}`;
}

/** Return a fraction in percent. */
export function formatPercent(fraction) {
  return `${Math.round(fraction * 100)} %`;
}

/** Return a time in the time zone of the browser. */
export function formatTime(text) {
  return DATE_AND_TIME.format(new Date(text));
}

/** Return the date of a time in the time zone of the browser. */
export function formatDate(text) {
  return DATE.format(new Date(text));
}

/** Return a duration in words. */
export function formatAge(text, now = Date.now()) {
  const seconds = Math.max(0, (now - new Date(text)) / 1000);
  if (seconds < MINUTE) return "less than a minute";
  if (seconds < HOUR) return plural(Math.floor(seconds / MINUTE), "minute");
  if (seconds < 2 * DAY) return plural(Math.floor(seconds / HOUR), "hour");
  return plural(Math.floor(seconds / DAY), "day");
}

/** Return a number with its noun. */
export function plural(count, noun) {
  return `${count.toLocaleString("en-GB")} ${noun}${count === 1 ? "" : "s"}`;
}

/** Return a text that ends as a sentence; empty for an empty text. */
export function sentence(text) {
  return text && `${text.replace(/[.\s]+$/u, "")}.`;
}

function withMinus(text) {
  return text.replaceAll("-", "−");
}

function decimalsOf(scale) {
  if (!(scale > 0) || !Number.isFinite(scale)) return null;
  const decimals = 3 - Math.ceil(Math.log10(scale));
  return decimals > 8 ? null : Math.max(0, decimals);
}
