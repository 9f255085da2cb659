/** Predictions for a CSV file: rows are sent in batches, and the file gets one more column. */

import { postPatiently, ProblemError } from "./api.js";
import { CsvError, CsvParser, writeRow } from "./csv.js";
import { plural } from "./format.js";

const MAX_BATCH_ROWS = 2000;
const BATCH_CELLS = 100_000;
const MAX_MESSAGES = 20;
const MISSING = new Set(["", "na", "n/a", "nan", "null", "none", "?", "-", ".", "<na>", "#n/a"]);
const TRUE = new Set(["true", "t", "yes", "y", "1"]);
const FALSE = new Set(["false", "f", "no", "n", "0"]);

/** Invalid rows; `messages` has a line for each problem. */
export class RowsError extends Error {
  constructor(messages) {
    super(messages[0]);
    this.messages = messages;
  }
}

/**
 * Predict the rows of a file, and return the file with its predictions, as parts of text.
 *
 * `onProgress(fraction, rows)` is called after each batch.
 */
export async function predictFile(file, model, { signal, onProgress }) {
  const parser = new CsvParser();
  const reader = file.stream().getReader();
  const decoder = new TextDecoder("utf-8", { fatal: true });
  const result = { parts: [], rows: 0, versions: new Set() };
  let layout = null;
  let pending = [];
  let bytes = 0;

  async function take(rows, isEnd) {
    if (layout === null && rows.length > 0) layout = readHeader(rows.shift(), model, parser.delimiter);
    pending = pending.concat(rows);
    while (pending.length > 0 && (isEnd || pending.length >= layout.batchRows)) {
      await predictBatch(pending.splice(0, layout.batchRows), layout, model, result, signal);
      onProgress(Math.min(bytes / file.size, 1), result.rows);
    }
  }

  try {
    for (;;) {
      signal.throwIfAborted();
      const { done, value } = await reader.read();
      if (done) break;
      bytes += value.length;
      await take(parser.push(decode(decoder, value)), false);
    }
  } finally {
    reader.cancel();
  }
  await take([...parser.push(decode(decoder)), ...parser.end()], true);
  if (layout === null) throw new CsvError("The file is empty.");
  if (result.rows === 0) throw new CsvError("The file has a header and no rows.");
  return result;
}

/** Return a file with the header and an example. */
export function templateOf({ features }) {
  const cells = features.map(({ example }) => (example === null ? "" : String(example)));
  return writeRow(features.map(({ name }) => name), ",") + writeRow(cells, ",");
}

function decode(decoder, bytes) {
  try {
    return bytes ? decoder.decode(bytes, { stream: true }) : decoder.decode();
  } catch {
    throw new CsvError("The file is not UTF-8 text. Save it as CSV in UTF-8.");
  }
}

function readHeader({ cells }, { features, target }, delimiter) {
  const names = cells.map((cell) => cell.trim());
  const repeated = names.find((name, index) => names.indexOf(name) < index);
  if (repeated !== undefined) throw new CsvError(`Line 1: the column ${repeated} occurs twice.`);
  const missing = features.filter(({ name, nullable }) => !nullable && !names.includes(name.trim()));
  if (missing.length > 0) {
    const list = missing.slice(0, MAX_MESSAGES).map(({ name }) => name).join(", ");
    throw new CsvError(`Line 1: the header lacks ${plural(missing.length, "column")}: ${list}.`);
  }
  const columns = features
    .map((feature) => ({ feature, index: names.indexOf(feature.name.trim()) }))
    .filter(({ index }) => index >= 0);
  let added = target.response_key;
  while (names.includes(added)) added += "_predicted";
  const batchRows = Math.max(1, Math.min(MAX_BATCH_ROWS, Math.floor(BATCH_CELLS / features.length)));
  return { header: [...cells, added], columns, delimiter, width: cells.length, batchRows };
}

async function predictBatch(rows, layout, model, result, signal) {
  const values = rows.map((row) => readRow(row, layout));
  let answer;
  try {
    answer = await postPatiently("predict", values, signal);
  } catch (error) {
    if (!isTooMuch(error, rows)) throw rowsError(error, rows);
    const middle = Math.ceil(rows.length / 2);
    for (const half of [rows.slice(0, middle), rows.slice(middle)]) {
      await predictBatch(half, layout, model, result, signal);
    }
    return;
  }
  if (result.rows === 0) result.parts.push(writeRow(layout.header, layout.delimiter));
  const lines = rows.map(({ cells }, index) =>
    writeRow([...cells, String(answer.body[index][model.target.response_key])], layout.delimiter),
  );
  result.parts.push(lines.join(""));
  result.rows += rows.length;
  result.versions.add(answer.version);
}

/** Return true if the server refuses a batch, and could answer or explain smaller ones. */
function isTooMuch(error, rows) {
  const isRefused = error.status === 413 || error.status === 422;
  return isRefused && error.errors.length === 0 && rows.length > 1;
}

function readRow({ cells, line }, { columns, delimiter, width }) {
  if (cells.length !== width) {
    throw new CsvError(`Line ${line}: the row has ${plural(cells.length, "cell")}, and the header ${width}.`);
  }
  return Object.fromEntries(
    columns.map(({ feature, index }) => [feature.name, readCell(feature, cells[index].trim(), delimiter)]),
  );
}

/** Return the value of a cell; the server explains a text that its feature does not accept. */
function readCell({ levels, type }, text, delimiter) {
  if (levels?.includes(text)) return text;
  const word = text.toLowerCase();
  if (MISSING.has(word)) return null;
  if (type === "boolean") {
    if (TRUE.has(word)) return true;
    return FALSE.has(word) ? false : text;
  }
  if (type !== "number") return text;
  const number = Number(delimiter === ";" ? text.replace(",", ".") : text);
  return Number.isFinite(number) ? number : text;
}

/** Return an error that names lines of the file instead of indices of the batch. */
function rowsError(error, rows) {
  if (!(error instanceof ProblemError) || error.errors.length === 0) return error;
  const messages = error.errors.slice(0, MAX_MESSAGES).map(({ row, field, problem, expected }) => {
    const line = rows[row ?? 0].line;
    return `Line ${line}, column ${field}: the value ${problem}. Expected: ${expected}.`;
  });
  return new RowsError(messages);
}
