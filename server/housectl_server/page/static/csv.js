/** CSV files: rows from texts that arrive in pieces, with quoted cells, and cells to text. */

const DELIMITERS = [",", ";", "\t", "|"];
const MAX_ROW_CHARACTERS = 1_000_000;

/** An invalid file; the message names the line. */
export class CsvError extends Error {}

/** Return the delimiter of a header: the most frequent one outside quotes. */
export function findDelimiter(header) {
  const unquoted = header.replaceAll(/"(?:[^"]|"")*"/gu, "");
  const counts = DELIMITERS.map((delimiter) => unquoted.split(delimiter).length);
  return DELIMITERS[counts.indexOf(Math.max(...counts))];
}

/** Return the cells as one line of CSV. */
export function writeRow(cells, delimiter) {
  const quote = (cell) =>
    /["\r\n]/u.test(cell) || cell.includes(delimiter) || cell !== cell.trim()
      ? `"${cell.replaceAll('"', '""')}"`
      : cell;
  return `${cells.map(quote).join(delimiter)}\n`;
}

/**
 * Parser of a file. `push(text)` and `end()` return the rows that are complete, each with its cells
 * and the number of its first line. Blank lines are left out.
 */
export class CsvParser {
  #text = "";
  #line = 1;
  #delimiter = null;

  /** The delimiter; null before the first row. */
  get delimiter() {
    return this.#delimiter;
  }

  push(text) {
    this.#text += text;
    return this.#rows(false);
  }

  end() {
    const rows = this.#rows(true);
    if (this.#text) throw new CsvError(`Line ${this.#line}: a quoted cell has no end.`);
    return rows;
  }

  #rows(isEnd) {
    const rows = [];
    let start = 0;
    for (;;) {
      const end = this.#rowEnd(start, isEnd);
      if (end === null) break;
      const text = this.#text.slice(start, end);
      start = end;
      this.#delimiter ??= findDelimiter(text);
      const row = { line: this.#line, cells: this.#cells(text) };
      this.#line += countLineEnds(text);
      if (row.cells.length > 1 || row.cells[0].trim()) rows.push(row);
    }
    this.#text = this.#text.slice(start);
    if (this.#text.length > MAX_ROW_CHARACTERS) {
      throw new CsvError(`Line ${this.#line}: the row is too long, or a quoted cell has no end.`);
    }
    return rows;
  }

  /** Return the index after the row that begins at `start`; null if the row is incomplete. */
  #rowEnd(start, isEnd) {
    const text = this.#text;
    let isQuoted = false;
    for (let index = start; index < text.length; index += 1) {
      const character = text[index];
      if (character === '"') isQuoted = !isQuoted;
      else if (isQuoted) continue;
      else if (character === "\n") return index + 1;
      else if (character === "\r") {
        // The next piece may begin with the second half of this line end.
        if (index + 1 === text.length && !isEnd) return null;
        return text[index + 1] === "\n" ? index + 2 : index + 1;
      }
    }
    return isEnd && !isQuoted && start < text.length ? text.length : null;
  }

  #cells(row) {
    const text = row.replace(/\r?\n$|\r$/u, "");
    if (!text.includes('"')) return text.split(this.#delimiter);
    const cells = [];
    let start = 0;
    for (;;) {
      const { cell, end } = this.#cell(text, start);
      cells.push(cell);
      if (end >= text.length) return cells;
      start = end + 1;
    }
  }

  #cell(text, start) {
    if (text[start] !== '"') {
      const next = text.indexOf(this.#delimiter, start);
      const end = next < 0 ? text.length : next;
      return { cell: text.slice(start, end), end };
    }
    let end = start + 1;
    for (;;) {
      end = text.indexOf('"', end);
      if (text[end + 1] !== '"') break;
      end += 2;
    }
    const cell = text.slice(start + 1, end).replaceAll('""', '"');
    end += 1;
    if (end < text.length && text[end] !== this.#delimiter) {
      throw new CsvError(`Line ${this.#line}: a text follows the end of a quoted cell.`);
    }
    return { cell, end };
  }
}

function countLineEnds(text) {
  return text.match(/\r\n|\r|\n/gu)?.length ?? 0;
}
