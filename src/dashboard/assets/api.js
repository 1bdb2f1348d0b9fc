// What the page asks locald.

import { changed, lastEvent, take } from "./store.js";

/** How long to wait before asking again a daemon that is not there. */
const AGAIN = 1500;

/** `opening`, `live`, `lost` (no daemon) or `out` (not logged in). */
export const connection = { state: "opening" };

let token = null;
let stream = null;
let timer = null;

function become(state) {
  if (connection.state === state) return;
  connection.state = state;
  changed();
}

/** Begins, and goes on for as long as somebody looks. */
export function start() {
  document.addEventListener("visibilitychange", () => (document.hidden ? rest() : open()));
  // A page that is left, and kept by the browser, holds no connection.
  addEventListener("pagehide", rest);
  addEventListener("pageshow", ({ persisted }) => persisted && open());
  open();
}

function rest() {
  clearTimeout(timer);
  stream?.close();
  stream = null;
}

async function open() {
  rest();
  try {
    const answer = await fetch("/session");
    if (answer.status === 401) {
      become("out");
      timer = setTimeout(open, AGAIN);
      return;
    }
    if (!answer.ok) throw new Error(answer.statusText);
    ({ token } = await answer.json());
  } catch {
    become("lost");
    timer = setTimeout(open, AGAIN);
    return;
  }
  rest();
  const after = lastEvent();
  stream = new EventSource(`/v1/live${after ? `?after=${after}` : ""}`);
  stream.onopen = () => become("live");
  stream.onmessage = ({ data }) => take(JSON.parse(data));
  // The next daemon may not know us: it is asked first.
  stream.onerror = () => {
    become("lost");
    rest();
    timer = setTimeout(open, AGAIN / 3);
  };
}

/** Commands `start`, `stop` or `restart`; an error is a sentence. */
export async function command(verb, project, services) {
  const answer = await fetch(`/v1/${verb}`, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-Locald-Token": token ?? "" },
    body: JSON.stringify({ project, services }),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(problem(text));
  const done = JSON.parse(text.trim().split("\n").at(-1)).done;
  if (done?.problem) throw new Error(done.problem.message);
}

/** Something to read, as JSON. */
export async function read(path, query) {
  const answer = await fetch(`${path}?${new URLSearchParams(query)}`);
  if (!answer.ok) throw new Error(problem(await answer.text()));
  return answer.json();
}

/** A stream of lines; `lost` is called when it has ended, whoever ended it. */
export function lines(path, query, { begin, line, lost }) {
  const source = new EventSource(`${path}?${new URLSearchParams(query)}`);
  source.onopen = begin;
  source.onmessage = ({ data }) => line(JSON.parse(data));
  source.onerror = () => {
    source.close();
    lost();
  };
  return () => source.close();
}

function problem(text) {
  try {
    const { message, help } = JSON.parse(text).error;
    return help ? `${message}: ${help}` : message;
  } catch {
    return text;
  }
}
