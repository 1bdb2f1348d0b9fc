// Numbers and times as people read them.

/** `12 s`, `3 min 5 s`, `2 h 4 min`, `3 d 2 h`; in one unit: `3 min`. */
export function duration(seconds, units = 2) {
  if (seconds === null || seconds === undefined) return "–";
  const s = Math.floor(seconds);
  if (s < 60) return `${s} s`;
  const parts = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];
  const first = parts.findIndex(([size]) => s >= size);
  const [size, unit] = parts[first];
  const [small, smallUnit] = parts[first + 1] ?? [1, ""];
  const rest = Math.floor((s % size) / small);
  return `${Math.floor(s / size)} ${unit}${smallUnit && rest && units > 1 ? ` ${rest} ${smallUnit}` : ""}`;
}

/** `0 B`, `12 KiB`, `3.4 MiB`. */
export function bytes(count) {
  if (count === null || count === undefined) return "–";
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  while (count >= 1000 && unit < units.length - 1) {
    count /= 1024;
    unit += 1;
  }
  return `${count >= 100 || unit === 0 ? Math.round(count) : count.toFixed(1)} ${units[unit]}`;
}

/** `0.4 %`, `12 %`. */
export function percent(value) {
  if (value === null || value === undefined) return "–";
  return `${value >= 10 || value === 0 ? Math.round(value) : value.toFixed(1)} %`;
}

/** `14:03:07.120` of an RFC 3339 time, on this machine's clock. */
export function clock(at) {
  const time = new Date(at);
  if (Number.isNaN(time.getTime())) return at;
  const two = (n) => String(n).padStart(2, "0");
  const ms = String(time.getMilliseconds()).padStart(3, "0");
  return `${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}.${ms}`;
}

/** `1.2 ms`, `340 ms`, `2.1 s`. */
export function millis(ms) {
  if (ms >= 1000) return `${(ms / 1000).toFixed(1)} s`;
  return `${ms >= 10 ? Math.round(ms) : ms.toFixed(1)} ms`;
}

/** `1 restart`, `2 restarts`. */
export function count(n, word) {
  return `${n} ${word}${n === 1 ? "" : "s"}`;
}

/** A hue for a name, the same each time. */
export function hue(name) {
  let sum = 7;
  for (const letter of name) sum = (sum * 31 + letter.codePointAt(0)) % 360;
  return sum;
}
