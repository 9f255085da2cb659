/** Dates as texts in ISO 8601 or in a format of Python's strptime, and as seconds since 1970. */

const ISO = /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.\d+)?)?)?(?:Z|[+-]\d\d:\d\d)?$/u;
const DIRECTIVES = { Y: 4, m: 2, d: 2, H: 2, M: 2, S: 2, y: 2 };
const DAY_SECONDS = 86_400;

/** Return reader and writer of a format; null for a format with other directives. */
export function dateFormat(format) {
  if (format === "iso8601") return { read: readIso, write: writeIso };
  const parts = [...format.matchAll(/%(.)|[^%]+/gu)].map(([text, directive]) => ({ text, directive }));
  const known = parts.every(({ directive }) => directive === undefined || directive in DIRECTIVES);
  if (!known || !/%[Yy]/u.test(format)) return null;
  return { read: (text) => readParts(parts, text), write: (seconds) => writeParts(parts, seconds) };
}

function readIso(text) {
  if (!ISO.test(text)) return null;
  const hasZone = /(?:Z|[+-]\d\d:\d\d)$/u.test(text.slice(10));
  const time = text.length === 10 ? `${text}T00:00` : text.replace(" ", "T");
  const milliseconds = Date.parse(hasZone ? time : `${time}Z`);
  return Number.isNaN(milliseconds) ? null : milliseconds / 1000;
}

function writeIso(seconds) {
  const text = new Date(seconds * 1000).toISOString();
  return seconds % DAY_SECONDS === 0 ? text.slice(0, 10) : text.slice(0, 19);
}

function readParts(parts, text) {
  const pattern = parts
    .map(({ text: literal, directive }) =>
      directive ? `(\\d{1,${DIRECTIVES[directive]}})` : literal.replace(/[\\^$.*+?()[\]{}|]/gu, "\\$&"),
    )
    .join("");
  const match = new RegExp(`^${pattern}$`, "u").exec(text.trim());
  if (!match) return null;
  const values = { Y: 1900, m: 1, d: 1, H: 0, M: 0, S: 0 };
  const directives = parts.filter(({ directive }) => directive).map(({ directive }) => directive);
  directives.forEach((directive, index) => {
    values[directive] = Number(match[index + 1]);
  });
  if ("y" in values) values.Y = values.y + (values.y < 69 ? 2000 : 1900);
  const { Y, m, d, H, M, S } = values;
  return Date.UTC(Y, m - 1, d, H, M, S) / 1000;
}

function writeParts(parts, seconds) {
  const date = new Date(seconds * 1000);
  const values = {
    Y: date.getUTCFullYear(),
    y: date.getUTCFullYear() % 100,
    m: date.getUTCMonth() + 1,
    d: date.getUTCDate(),
    H: date.getUTCHours(),
    M: date.getUTCMinutes(),
    S: date.getUTCSeconds(),
  };
  return parts
    .map(({ text, directive }) =>
      directive ? String(values[directive]).padStart(DIRECTIVES[directive], "0") : text,
    )
    .join("");
}
