// What becomes of a line of output.

import assert from "node:assert/strict";
import { test } from "node:test";

import { pieces, plain } from "./ansi.mjs";

const ESC = "\u001b";

test("colours and weights are styles, until they are taken back", () => {
  assert.deepEqual(pieces(`a ${ESC}[31mred ${ESC}[1mbold${ESC}[0m z`), [
    { text: "a ", style: {} },
    { text: "red ", style: { fg: "1" } },
    { text: "bold", style: { fg: "1", bold: true } },
    { text: " z", style: {} },
  ]);
  assert.deepEqual(pieces(`${ESC}[92;44;3mx${ESC}[22;39;49my`), [
    { text: "x", style: { fg: "10", bg: "4", italic: true } },
    { text: "y", style: { italic: true } },
  ]);
  assert.deepEqual(pieces(`${ESC}[1;4mx${ESC}[my`)[1], { text: "y", style: {} });
});

test("colours of 256 and of three bytes", () => {
  const fg = (codes) => pieces(`${ESC}[${codes}mx`)[0].style.fg;
  assert.equal(fg("38;5;9"), "9");
  assert.equal(fg("38;5;208"), "rgb(255, 135, 0)");
  assert.equal(fg("38;5;232"), "rgb(8, 8, 8)");
  assert.equal(fg("38;2;1;2;3"), "rgb(1, 2, 3)");
  assert.equal(fg("38;2;1000;-5;x"), undefined, "no sequence at all");
  assert.equal(fg("38;2;1000;5;0"), "rgb(255, 5, 0)");
  assert.deepEqual(pieces(`${ESC}[38;5;1;1mx`)[0].style, { fg: "1", bold: true });
  assert.deepEqual(pieces(`${ESC}[38mx`)[0].style, {});
});

test("whatever else a terminal does is not seen", () => {
  assert.equal(plain(`${ESC}[2K${ESC}[1Gdone${ESC}[?25h`), "done");
  assert.equal(plain(`${ESC}]0;title\u0007text`), "text");
  assert.equal(plain(`${ESC}]8;;http://x${ESC}\\link${ESC}]8;;${ESC}\\`), "link");
  assert.equal(plain(`${ESC}(Btext${ESC}=`), "text");
  assert.equal(plain(`10 %\r50 %\r100 %\r`), "100 %");
  assert.equal(plain(`a\u0008\u0000b\u009b\tc`), "ab\tc");
  assert.equal(plain(`cut off ${ESC}`), "cut off ");
  assert.equal(plain(`cut off ${ESC}[`), "cut off ");
});

test("markup is text", () => {
  const line = `<img src=x onerror=alert(1)> & ${ESC}[31m<b>`;
  assert.equal(plain(line), "<img src=x onerror=alert(1)> & <b>");
});

test("a long hostile line takes no time", () => {
  const began = performance.now();
  for (const part of [`${ESC}[`, `${ESC}]`, `${ESC}[1;`, "\r", `${ESC}[31m`, `${ESC} `]) pieces(part.repeat(50_000));
  assert.ok(performance.now() - began < 5_000);
});
