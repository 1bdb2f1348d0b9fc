// What is known, and who wants to hear of it.

/** So many samples and events are kept. */
const SAMPLES = 60;
const EVENTS = 1000;

export const known = {
  status: null,
  /** When it came, to let uptimes go on. */
  at: 0,
  tree: null,
  graphs: new Map(),
  events: [],
  usage: new Map(),
};

const listeners = new Set();
let due = false;

/** Calls `listener` when something has changed, at most once per picture. */
export function listen(listener) {
  listeners.add(listener);
}

/** Has all listeners look again. */
export function changed() {
  if (due) return;
  due = true;
  const tell = () => {
    if (!due) return;
    due = false;
    listeners.forEach((listener) => listener());
  };
  requestAnimationFrame(tell);
}

/** Takes in a line of `/v1/live`. */
export function take(news) {
  if (news.status) {
    known.status = news.status;
    known.at = performance.now();
  }
  if (news.tree) known.tree = news.tree;
  if (news.graphs) known.graphs = new Map(news.graphs.map(({ project, graph }) => [project, graph]));
  if (news.events) {
    const last = known.events.at(-1)?.seq ?? 0;
    const fresh = news.events.filter(({ seq }) => seq > last);
    known.events = [...known.events, ...fresh].slice(-EVENTS);
  }
  if (news.usage) {
    for (const { project, service, cpu, memory } of news.usage) {
      const key = `${project}/${service}`;
      const before = cpu.length === 1 ? known.usage.get(key) : null;
      known.usage.set(key, {
        cpu: [...(before?.cpu ?? []), ...cpu].slice(-SAMPLES),
        memory: [...(before?.memory ?? []), ...memory].slice(-SAMPLES),
        at: performance.now(),
      });
    }
  }
  changed();
}

/** The number of the last event that is known. */
export function lastEvent() {
  return known.events.at(-1)?.seq;
}

/** A project by name. */
export function project(name) {
  return known.status?.projects.find((it) => it.name === name);
}

/** A service by the names of its project and itself. */
export function service(projectName, name) {
  return project(projectName)?.services.find((it) => it.name === name);
}

/** What a service uses, if it runs. */
export function usage(projectName, it) {
  if (it.pid === null) return null;
  const found = known.usage.get(`${projectName}/${it.name}`);
  return found && performance.now() - found.at < 5000 ? found : null;
}

/** How long it has been up by now, in seconds. */
export function uptime(it) {
  if (it.uptime_s === null) return null;
  return it.uptime_s + (performance.now() - known.at) / 1000;
}
