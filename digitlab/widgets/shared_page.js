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
