// Numbers and times as people read them.

import assert from "node:assert/strict";
import { test } from "node:test";

import { bytes, count, duration, millis, percent } from "./format.mjs";

test("durations have their two leading units", () => {
  const all = [null, 0, 59.9, 60, 185, 7440, 266_400].map((it) => duration(it));
  assert.deepEqual(all, ["–", "0 s", "59 s", "1 min", "3 min 5 s", "2 h 4 min", "3 d 2 h"]);
  assert.equal(duration(185, 1), "3 min");
});

test("sizes, shares and counts", () => {
  assert.deepEqual([0, 999, 1024, 15_400_000, 3e9].map(bytes), ["0 B", "999 B", "1.0 KiB", "14.7 MiB", "2.8 GiB"]);
  assert.deepEqual([null, 0, 0.44, 12.6, 340].map(percent), ["–", "0 %", "0.4 %", "13 %", "340 %"]);
  assert.deepEqual([1.26, 340.4, 2100].map(millis), ["1.3 ms", "340 ms", "2.1 s"]);
  assert.deepEqual([count(1, "restart"), count(0, "restart")], ["1 restart", "0 restarts"]);
});
