/** The drop zone for a CSV file, with its progress, its errors and the download. */

import { predictFile, RowsError, templateOf } from "./batch.js";
import { byId, element, showText } from "./dom.js";
import { formatPercent, plural } from "./format.js";

let urls = [];

/** Show the drop zone of a model; return a function that ends its work. */
export function createBatchView(model) {
  revokeUrls();
  const names = model.features.map(({ name }) => name);
  const input = element("input", { type: "file", accept: ".csv,.tsv,.txt,text/csv", id: "file", class: "visually-hidden" });
  const zone = element(
    "label",
    { class: "drop", for: "file" },
    element("strong", {}, "Choose a CSV file"),
    element("span", {}, " or drop it here"),
  );
  const template = download(templateOf(model), "rows.csv", "Download an example");
  const help = element(
    "p",
    { class: "muted" },
    `The header names ${plural(names.length, "feature")}; other columns are kept. The rows are sent to this server only. `,
    template,
  );
  const bar = element("progress", { max: 1, value: 0, "aria-label": "Predicted part of the file" });
  const cancel = element("button", { type: "button", class: "quiet" }, "Cancel");
  const running = element("div", { class: "running", hidden: true }, bar, cancel);
  const status = element("p", { role: "status", hidden: true });
  const errors = element("ul", { class: "error-list", role: "alert", hidden: true });
  const result = element("p", { hidden: true });
  byId("batch").replaceChildren(input, zone, help, running, status, errors, result);
  let controller = null;

  async function predict(file) {
    controller?.abort();
    const own = new AbortController();
    controller = own;
    showErrors([]);
    result.hidden = true;
    bar.value = 0;
    running.hidden = false;
    showText(status, `Predicting ${file.name} …`);
    const onProgress = (fraction, rows) => {
      if (own !== controller) return;
      bar.value = fraction;
      showText(status, `${plural(rows, "row")} predicted, ${formatPercent(fraction)} of ${file.name}`);
    };
    try {
      const predicted = await predictFile(file, model, { signal: own.signal, onProgress });
      if (own === controller) showResult(file, predicted);
    } catch (error) {
      if (own === controller) showFailure(error, own.signal.aborted);
    } finally {
      if (own === controller) running.hidden = true;
    }
  }

  function showResult(file, { parts, rows, versions }) {
    const name = `${file.name.replace(/\.[^.]*$/u, "")}-predictions.csv`;
    const link = download(parts, name, `Download ${name}`);
    link.classList.add("button");
    result.replaceChildren(link);
    result.hidden = false;
    showText(status, `${plural(rows, "row")} predicted by ${versionsText([...versions])}.`);
  }

  function showFailure(error, isCancelled) {
    if (isCancelled) {
      showText(status, "Cancelled.");
      return;
    }
    showText(status, "");
    showErrors(error instanceof RowsError ? error.messages : [error.message]);
  }

  function showErrors(messages) {
    errors.replaceChildren(...messages.map((message) => element("li", {}, message)));
    errors.hidden = messages.length === 0;
  }

  cancel.addEventListener("click", () => controller?.abort());
  input.addEventListener("change", () => {
    const [file] = input.files;
    if (file) predict(file);
    // The same file can be chosen again after it was edited.
    input.value = "";
  });
  acceptDrops(zone, predict);
  return () => controller?.abort();
}

function versionsText(versions) {
  const names = versions.join(" and ");
  return versions.length === 1
    ? `version ${names}`
    : `the versions ${names}, because the champion changed meanwhile. Predict the file again for one version`;
}

function acceptDrops(zone, onFile) {
  const mark = (isOver) => zone.classList.toggle("is-over", isOver);
  zone.addEventListener("dragover", (event) => {
    event.preventDefault();
    mark(true);
  });
  zone.addEventListener("dragleave", () => mark(false));
  zone.addEventListener("drop", (event) => {
    event.preventDefault();
    mark(false);
    const [file] = event.dataTransfer.files;
    if (file) onFile(file);
  });
}

function download(content, name, text) {
  const url = URL.createObjectURL(new Blob([content].flat(), { type: "text/csv" }));
  urls.push(url);
  return element("a", { href: url, download: name }, text);
}

function revokeUrls() {
  for (const url of urls) URL.revokeObjectURL(url);
  urls = [];
}
