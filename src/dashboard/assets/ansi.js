// Colours of terminals: a line of output as pieces of text with styles. Pure; see tests/dashboard.

const PLAIN = Object.freeze({});
// Sequences: CSI, OSC and the like (to BEL or ST), then two-letter ones.
const ESCAPE = /\u001b\[([0-9;:?<=>!]*)[ -/]*([@-~])|\u001b[\]PX^_][^\u0007\u001b]*(?:\u0007|\u001b\\|$)|\u001b[ -/]*[0-~]?/g;
const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;

/** `[{ text, style }]`; a style has `fg`, `bg` (`"1"`…`"15"` or `"rgb(…)"`), `bold`, `dim`, `italic`, `under`, `strike`, `inverse`. */
export function pieces(line) {
  const found = [];
  let style = PLAIN;
  let from = 0;
  const put = (text) => {
    text = text.replace(CONTROL, "");
    if (text) found.push({ text, style });
  };
  // What a carriage return has overwritten is not seen in a terminal either.
  line = line.replace(/\r+$/, "");
  line = line.slice(line.lastIndexOf("\r") + 1);
  for (const match of line.matchAll(ESCAPE)) {
    put(line.slice(from, match.index));
    from = match.index + match[0].length;
    if (match[2] === "m") style = styled(style, match[1]);
  }
  put(line.slice(from));
  return found;
}

/** The text alone. */
export function plain(line) {
  return pieces(line).map(({ text }) => text).join("");
}

const FLAGS = { 1: "bold", 2: "dim", 3: "italic", 4: "under", 7: "inverse", 9: "strike" };
const OFF = { 22: ["bold", "dim"], 23: ["italic"], 24: ["under"], 27: ["inverse"], 29: ["strike"] };

function styled(before, text) {
  if (/[?<=>!]/.test(text)) return before;
  let style = { ...before };
  const codes = text.split(/[;:]/).map((code) => Number(code || 0));
  for (let at = 0; at < codes.length; at += 1) {
    const code = codes[at];
    if (code === 0) style = {};
    else if (FLAGS[code]) style[FLAGS[code]] = true;
    else if (OFF[code]) OFF[code].forEach((flag) => delete style[flag]);
    else if (code === 38 || code === 48) {
      const [colour, used] = extended(codes.slice(at + 1));
      if (colour) style[code === 38 ? "fg" : "bg"] = colour;
      at += used;
    } else if (code === 39) delete style.fg;
    else if (code === 49) delete style.bg;
    else if (code >= 30 && code <= 37) style.fg = String(code - 30);
    else if (code >= 90 && code <= 97) style.fg = String(code - 82);
    else if (code >= 40 && code <= 47) style.bg = String(code - 40);
    else if (code >= 100 && code <= 107) style.bg = String(code - 92);
  }
  return Object.keys(style).length ? style : PLAIN;
}

/** A colour of 256, or of three bytes, and how many codes it took. */
function extended(codes) {
  const byte = (n) => Math.min(255, Math.max(0, Math.round(n) || 0));
  if (codes[0] === 2) return [`rgb(${byte(codes[1])}, ${byte(codes[2])}, ${byte(codes[3])})`, 4];
  if (codes[0] !== 5) return [null, codes.length];
  const n = byte(codes[1]);
  if (n < 16) return [String(n), 2];
  if (n >= 232) return [`rgb(${Array(3).fill(8 + (n - 232) * 10).join(", ")})`, 2];
  const level = (part) => (part ? 55 + part * 40 : 0);
  const cube = n - 16;
  return [`rgb(${level(Math.floor(cube / 36))}, ${level(Math.floor(cube / 6) % 6)}, ${level(cube % 6)})`, 2];
}

/** Spans for a line, each with its text as text. */
export function spans(line) {
  return pieces(line).map(({ text, style }) => {
    if (style === PLAIN) return document.createTextNode(text);
    const span = document.createElement("span");
    span.textContent = text;
    for (const flag of ["bold", "dim", "italic", "under", "strike", "inverse"]) {
      if (style[flag]) span.classList.add(`a-${flag}`);
    }
    for (const [side, property] of [["fg", "color"], ["bg", "backgroundColor"]]) {
      const colour = style[side];
      if (!colour) continue;
      if (/^\d+$/.test(colour)) span.classList.add(`a-${side}${colour}`);
      else span.style[property] = colour;
    }
    return span;
  });
}
