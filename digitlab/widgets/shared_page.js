// ipywidgets leaves out some names and states that screen readers need.
function nameControls(root) {
  const name = () => {
    for (const toggle of root.querySelectorAll(".widget-toggle-button"))
      set(toggle, "aria-pressed", String(toggle.classList.contains("mod-active")));
    for (const slider of root.querySelectorAll(".widget-slider"))
      set(slider.querySelector("[role=slider]"), "aria-label", slider.querySelector(".widget-label")?.textContent);
  };
  const set = (element, attribute, value) => {
    if (element && value && element.getAttribute(attribute) !== value) element.setAttribute(attribute, value);
  };
  const watch = new MutationObserver(name);
  watch.observe(root, { subtree: true, childList: true, attributeFilter: ["class"] });
  name();
  return watch;
}

function render({ el }) {
  el.style.display = "none";
  let names = null;
  // Only when it is in the page is it known in which widget it is.
  const timer = setInterval(() => {
    const root = el.closest(MARK);
    if (root === null) return;
    clearInterval(timer);
    names = nameControls(root);
  }, 50);
  return () => {
    clearInterval(timer);
    names?.disconnect();
  };
}

export default { render };
