/** Elements of the page. Every text is set as text, so names of features cannot contain HTML. */

const SVG = "http://www.w3.org/2000/svg";

/** Return an HTML element; an attribute that is false, null or undefined is left out. */
export function element(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

/** Return an element of an SVG picture. */
export function svg(tag, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

/** Return the element of the page with this id. */
export function byId(id) {
  return document.getElementById(id);
}

/** Show a text in an element, and hide the element without one. */
export function showText(target, text) {
  if (target.textContent !== text) target.textContent = text;
  target.hidden = !text;
}

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    node.setAttribute(name, value === true ? "" : String(value));
  }
  node.append(...children.filter((child) => child !== null));
  return node;
}
