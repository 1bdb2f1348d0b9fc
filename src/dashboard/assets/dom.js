// Making and updating elements. Text is only ever set as text.

const SVG = "http://www.w3.org/2000/svg";

/** An element: `h("button.small", { onclick, title }, "text", child, …)`. */
export function h(what, attributes = {}, ...children) {
  const [name, ...classes] = what.split(".");
  return fill(document.createElement(name || "div"), classes, attributes, children);
}

/** The same, of SVG. */
export function s(what, attributes = {}, ...children) {
  const [name, ...classes] = what.split(".");
  return fill(document.createElementNS(SVG, name), classes, attributes, children);
}

function fill(element, classes, attributes, children) {
  if (classes.length) element.classList.add(...classes);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

/** Sets a text, if it is another one: what somebody has selected stays so. */
export function say(element, text) {
  text = text === null || text === undefined ? "" : String(text);
  if (element.textContent !== text) element.textContent = text;
}

/** Sets an attribute, or takes it away. */
export function mark(element, name, value) {
  if (value === null || value === undefined || value === false) element.removeAttribute(name);
  else if (element.getAttribute(name) !== String(value)) element.setAttribute(name, value === true ? "" : value);
}

/** A link to a web page, or text where it is none. */
export function link(element, url) {
  const web = /^https?:/.test(url ?? "");
  mark(element, "href", web ? url : null);
  say(element, url ? url.replace(/^https?:\/\//, "") : "–");
}

/**
 * Keeps the children of `parent` those of `items`, in order: one element for each key, made once by `make(item)`
 * and then shown by its `show(item)`.
 */
export function keep(parent, items, key, make) {
  parent.kept ??= new Map();
  const seen = new Set();
  let at = parent.firstChild;
  for (const item of items) {
    const name = key(item);
    seen.add(name);
    let element = parent.kept.get(name);
    if (!element) {
      element = make(item);
      parent.kept.set(name, element);
    }
    element.show?.(item);
    if (element === at) at = at.nextSibling;
    else parent.insertBefore(element, at);
  }
  for (const [name, element] of parent.kept) {
    if (seen.has(name)) continue;
    element.remove();
    parent.kept.delete(name);
  }
}
