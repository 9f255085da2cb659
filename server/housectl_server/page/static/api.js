/** Requests to the server. All URLs are relative to the page. */

const TIMEOUT_MS = 30_000;
const MAX_BUSY_RETRIES = 8;
const LONGEST_PAUSE_MS = 10_000;

/** An answer that reports a problem; `errors` names invalid fields. */
export class ProblemError extends Error {
  constructor(status, problem, retryAfter) {
    super(problem.detail ?? `The server answered with status ${status}.`);
    this.status = status;
    this.errors = problem.errors ?? [];
    this.retryAfter = retryAfter;
  }
}

/** The server gave no answer. */
export class UnreachableError extends Error {
  constructor() {
    super("The server does not answer.");
  }
}

/** Return the JSON of an answer to GET. */
export async function get(path) {
  return (await request(path, {})).body;
}

/** Send JSON; return the JSON of the answer, and the version of the model that answered. */
export async function post(path, value, signal) {
  return request(path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(value),
    signal,
  });
}

/** Send JSON as `post` does; wait and send it again while the server is busy. */
export async function postPatiently(path, value, signal) {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await post(path, value, signal);
    } catch (error) {
      if (error.status !== 503 || attempt === MAX_BUSY_RETRIES) throw error;
      await pause(Math.min(error.retryAfter * 1000, LONGEST_PAUSE_MS));
      signal?.throwIfAborted();
    }
  }
}

/** Wait. */
export function pause(milliseconds) {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds);
  });
}

async function request(path, options) {
  const timeout = AbortSignal.timeout(TIMEOUT_MS);
  const signal = options.signal ? AbortSignal.any([options.signal, timeout]) : timeout;
  let response;
  let body;
  try {
    response = await fetch(path, { cache: "no-store", ...options, signal });
    body = await response.json();
  } catch {
    options.signal?.throwIfAborted();
    if (response === undefined || response.ok) throw new UnreachableError();
    body = {};
  }
  if (!response.ok) {
    const retryAfter = Number(response.headers.get("Retry-After")) || 1;
    throw new ProblemError(response.status, body, retryAfter);
  }
  return { body, version: response.headers.get("X-Model-Version") };
}
