// Elements. Texts become text nodes: nothing that a text contains is ever read as HTML.

const SVG = 'http://www.w3.org/2000/svg';

function fill(element, properties, children) {
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith('on')) {
      element.addEventListener(name.slice(2), value);
    } else if (value === true) {
      element.setAttribute(name, '');
    } else if (value !== false && value !== undefined && value !== null) {
      element.setAttribute(name, value);
    }
  }
  element.append(...children.filter(child => child !== undefined && child !== null && child !== false));
  return element;
}

/** An element with attributes, listeners (`onclick: …`) and children; strings are text. */
export function make(name, properties = {}, ...children) {
  return fill(document.createElement(name), properties, children);
}

/** As `make`, for drawings. */
export function draw(name, properties = {}, ...children) {
  return fill(document.createElementNS(SVG, name), properties, children);
}

export function byId(id) {
  return document.getElementById(id);
}

/** Tells the style sheet a number. */
export function styled(element, name, value) {
  element.style.setProperty(name, String(value));
  return element;
}

/** Text that only screen readers get. */
export function unseen(text) {
  return make('span', {class: 'unseen'}, text);
}

/** Calls `action` once `milliseconds` have passed without another call. */
export function debounced(action, milliseconds) {
  let timer;
  return (...values) => {
    clearTimeout(timer);
    timer = setTimeout(() => action(...values), milliseconds);
  };
}

export function plural(count, one, many) {
  return `${count.toLocaleString('en')} ${count === 1 ? one : many}`;
}
