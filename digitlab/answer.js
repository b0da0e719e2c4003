// The answer of the networks, beside the canvas of a drawing pad: digit, words, ten bars, and what the network sees.
//
// Python sends what changed, and this file shows it. The elements are made once for each list of networks.

const DIFFERENCE =
  "“Sure” is the chance that it is a digit, and this one. The bars tell how likely each digit is, if it is a digit.";

// As `percent` in recognizer.py: nothing is certain, so 100 % is never shown.
const percent = (share) => (share > 0.99 ? "> 99 %" : `${Math.round(100 * share)} %`);

function makeBars(parent) {
  const all = make("div", "digitlab-bars", parent);
  return Array.from({ length: 10 }, (_, digit) => {
    const row = make("div", "", all);
    make("span", "", row, digit);
    const bar = make("span", "", make("span", "digitlab-bar", row));
    return { row, bar, words: make("span", "", row) };
  });
}

function makeNetwork(name, parent) {
  if (name) make("b", "", parent, name).title = name;
  return {
    digit: make("div", "digitlab-digit", parent),
    words: make("div", "digitlab-words", parent),
  };
}

function makeSeen(parent) {
  const figure = make("figure", "", parent);
  const canvas = make("canvas", "digitlab-sees", make("div", "digitlab-image", figure));
  canvas.width = canvas.height = 28;
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", "What the network sees: the drawing as 28 by 28 pixels");
  make("figcaption", "", figure, "what the network sees");
  return canvas.getContext("2d");
}

function render({ model, el }) {
  el.classList.add("digitlab-answer");
  let names = null; // The networks for which there are elements
  let shown = []; // The elements of each network that reads
  let seen = null;
  let difference = null;
  let spoken = null; // For screen readers: what is read, without what changes with each point

  function build(networks) {
    names = JSON.stringify(networks);
    el.replaceChildren();
    const isOne = networks.length === 1 && !networks[0].missing;
    const parent = make("div", isOne ? "digitlab-one" : "digitlab-several", el);
    shown = networks.map(({ name, missing }) => {
      const own = make("div", isOne ? "" : "digitlab-network", parent);
      if (missing) {
        make("b", "", own, name).title = name;
        make("p", "", own, missing);
        return null;
      }
      const parts = makeNetwork(isOne ? "" : name, own);
      return { own, ...parts, bars: isOne ? null : makeBars(own) };
    });
    seen = networks.every(({ missing }) => missing) ? null : makeSeen(isOne ? shown[0].own : parent);
    if (isOne) shown[0].bars = makeBars(parent);
    difference = make("div", "digitlab-difference", el);
    spoken = make("div", "digitlab-spoken", el);
    spoken.setAttribute("role", "status");
  }

  function update() {
    const networks = model.get("networks");
    if (JSON.stringify(networks) !== names) build(networks);
    for (const [number, { digit, words, probabilities }] of model.get("answers").entries()) {
      const parts = shown.filter(Boolean)[number];
      if (!parts) continue;
      parts.digit.textContent = digit;
      parts.words.textContent = words;
      parts.bars.forEach(({ row, bar, words }, number) => {
        const share = probabilities[number];
        row.classList.toggle("digitlab-read", String(number) === digit);
        bar.style.width = `${100 * share}%`;
        words.textContent = share >= 0.005 ? percent(share) : "";
      });
    }
    difference.textContent = model.get("differs") ? DIFFERENCE : "";
    speak();
    showImage();
    // Which drawing is answered, for tests and benchmarks.
    el.dataset.points = model.get("points");
  }

  function speak() {
    const there = model.get("networks").filter(({ missing }) => !missing);
    const sentences = model.get("answers").map(({ digit, words }, number) => {
      const name = there[number].name ? `${there[number].name}: ` : "";
      return digit ? `${name}${digit === "?" ? words : digit}` : "";
    });
    const text = sentences.filter(Boolean).join(", ");
    if (spoken.textContent !== text) spoken.textContent = text;
  }

  function showImage() {
    const bytes = model.get("image");
    if (seen === null || !bytes?.byteLength) return;
    const pixels = seen.createImageData(28, 28);
    for (let i = 0; i < 784; i++) {
      pixels.data.fill(bytes.getUint8(i), 4 * i, 4 * i + 3);
      pixels.data[4 * i + 3] = 255;
    }
    seen.putImageData(pixels, 0, 0);
  }

  // The parts of an answer arrive in one message: they are shown together.
  model.on("change", update);
  update();
  return () => model.off("change", update);
}

export default { render };
