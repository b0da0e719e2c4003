// Ten buttons, one for each digit. The chosen one is marked at once.

function render({ model, el }) {
  el.classList.add("digitlab-labels");
  el.setAttribute("role", "group");
  el.setAttribute("aria-label", model.get("question"));
  const buttons = Array.from({ length: 10 }, (_, digit) => {
    const button = document.createElement("button");
    button.className = "jupyter-button";
    button.textContent = digit;
    button.addEventListener("click", () => choose(digit));
    return button;
  });
  el.append(...buttons);

  let sent = 0;
  function choose(digit) {
    sent += 1;
    model.set("value", String(digit));
    model.send({ value: String(digit), number: sent });
  }

  // Python may have chosen another digit while the click was on its way.
  function hear({ value, number }) {
    if (number === sent) model.set("value", value);
  }

  el.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (/^[0-9]$/.test(event.key)) choose(Number(event.key));
  });

  function mark() {
    buttons.forEach((button, digit) => {
      const isChosen = String(digit) === model.get("value");
      button.classList.toggle("mod-active", isChosen);
      button.setAttribute("aria-pressed", String(isChosen));
    });
  }

  model.on("msg:custom", hear);
  model.on("change:value", mark);
  mark();
  return () => {
    model.off("msg:custom", hear);
    model.off("change:value", mark);
  };
}

export default { render };
