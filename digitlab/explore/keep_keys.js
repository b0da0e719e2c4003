// The lens and the slope begin with this.

// Keys alone are not JupyterLab's here; those with Ctrl are, such as Ctrl+S.
function keepKeys(element) {
  const name = "data-lm-suppress-shortcuts";
  element.setAttribute(name, "true");
  element.addEventListener("keydown", (event) => {
    if (!event.ctrlKey && !event.metaKey) return;
    element.removeAttribute(name);
    setTimeout(() => element.setAttribute(name, "true"));
  });
}

