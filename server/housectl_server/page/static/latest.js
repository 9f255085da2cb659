/** Work that follows a value which changes often. */

import { pause } from "./api.js";

/**
 * Return a function that starts a task after a pause. While the task runs, further calls lead to
 * one more run, so tasks never overlap and the last one sees the last value.
 */
export function followLatest(task, pauseMs) {
  let running = false;
  let changed = false;

  async function run() {
    running = true;
    try {
      while (changed) {
        await pause(pauseMs);
        changed = false;
        await task();
      }
    } finally {
      running = false;
    }
  }

  return () => {
    changed = true;
    if (!running) run();
  };
}
