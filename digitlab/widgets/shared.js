// What the kit's widgets share on the page; the script of each begins with this.
//
// While the focus is in a widget, JupyterLab's keys must not act on the notebook: d pressed twice would delete the
// cell. Those with Ctrl stay JupyterLab's, such as Ctrl+S, and so does Shift+Enter.

const NO_SHORTCUTS = "data-lm-suppress-shortcuts";
const MARK = ".digitlab-widget"; // The outermost element of each widget

const isPlain = ({ key, ctrlKey, metaKey, altKey, shiftKey }) =>
  !ctrlKey && !metaKey && !altKey && !(key === "Enter" && shiftKey);

// On the window, and on the way down: Jupyter Notebook looks at a key before it reaches the widget.
// An element may have a function of its own, `digitlabIsOurs`, which tells what keys it needs.
globalThis.digitlabKeys ??= window.addEventListener("keydown", keepKey, true) ?? true;

function keepKey(event) {
  let isInside = false;
  let isOurs = false;
  for (let one = event.target; one?.matches; one = one.parentElement) {
    const judge = one.digitlabIsOurs ?? (one.matches(MARK) ? isPlain : null);
    isInside ||= judge !== null;
    isOurs ||= judge !== null && judge(event);
  }
  // On what has the focus: a mark further out is looked at too late.
  if (isInside) event.target.toggleAttribute(NO_SHORTCUTS, isOurs);
}

function make(tag, name, parent, text = "") {
  const element = document.createElement(tag);
  if (name) element.className = name;
  element.textContent = text;
  parent?.append(element);
  return element;
}
