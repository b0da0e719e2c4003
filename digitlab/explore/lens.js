// A lens on a convolution: the filter lies on one place of the digit, and each of its products is shown.

const SIDE = 28;
const SCALE = 7; // pixels of the page for each pixel of the digit
const MARGIN = 20; // for the numbers of rows and columns
const ABOVE = [0, 114, 178]; // blue, as in all figures of the kit
const BELOW = [213, 94, 0]; // orange
const ARROWS = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };

function diverging(value, limit) {
  const share = Math.min(1, Math.abs(value) / limit);
  return (value < 0 ? BELOW : ABOVE).map((channel) => Math.round(255 + (channel - 255) * share));
}

// Black or white, whichever can be read on a colour.
function readable([r, g, b]) {
  const [red, green, blue] = [r, g, b].map((channel) => (channel / 255) ** 2.2);
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.18 ? "black" : "white";
}

const written = (value) => value.toFixed(2).replace("-", "−").replace(/^−(0\.00)$/, "$1");

function render({ model, el }) {
  el.classList.add("digitlab-lens", "digitlab-widget");
  const controls = make("div", "digitlab-lens-controls", el);
  const filterLabel = make("label", "", controls, "Filter ");
  const select = make("select", "", filterLabel);
  const sliders = ["row", "column"].map((name) => {
    const label = make("label", "", controls, `${name} `);
    const slider = make("input", "", label);
    slider.type = "range";
    slider.min = 0;
    const output = make("output", "", label);
    slider.addEventListener("input", () => place({ [name]: Number(slider.value) }));
    return { name, slider, output };
  });
  const reluLabel = make("label", "", controls);
  const relu = make("input", "", reluLabel);
  relu.type = "checkbox";
  relu.checked = true;
  reluLabel.append(" ReLU");

  const parts = make("div", "digitlab-lens-parts", el);
  const digit = picture("the digit", "Digit. The arrow keys move the filter; a click holds it where it is.");
  const sum = make("div", "digitlab-lens-sum", parts);
  const tables = make("div", "digitlab-lens-tables", sum);
  const words = make("p", "digitlab-lens-words", sum);
  words.setAttribute("role", "status");
  const result = picture("the result", "Result of the filter. The arrow keys move it.");
  let held = false;

  function picture(caption, label) {
    const figure = make("figure", "", parts);
    const canvas = make("canvas", "", figure);
    canvas.tabIndex = 0;
    canvas.setAttribute("role", "application");
    canvas.setAttribute("aria-label", label);
    make("figcaption", "", figure, caption);
    return canvas;
  }

  const pixels = () => new Uint8Array(model.get("image").buffer, model.get("image").byteOffset, SIDE * SIDE);
  const filter = () => model.get("filters")[model.get("chosen")];
  const count = () => SIDE + 1 - filter().weights.length; // of rows and columns of the result
  const bound = (value) => Math.max(0, Math.min(count() - 1, value));

  function place(where) {
    for (const [name, value] of Object.entries(where)) model.set(name, bound(value));
    model.save_changes(); // The change draws.
  }

  function products(row, column) {
    const image = pixels();
    return filter().weights.map((line, i) =>
      line.map((weight, j) => {
        const pixel = image[(row + i) * SIDE + column + j] / 255;
        return { pixel, weight, product: pixel * weight };
      }),
    );
  }

  function total(row, column) {
    return products(row, column).flat().reduce((sum, one) => sum + one.product, filter().bias);
  }

  function grid(canvas, side, colourOf) {
    const sharpness = Math.ceil(window.devicePixelRatio || 1); // Else grey lines run between the pixels.
    const size = side * SCALE + MARGIN + 8; // 8: the last number is wider than its column
    canvas.width = canvas.height = size * sharpness;
    canvas.style.width = canvas.style.height = `${size}px`;
    const context = canvas.getContext("2d");
    context.scale(sharpness, sharpness);
    context.fillStyle = getComputedStyle(el).color;
    context.font = "11px sans-serif";
    context.textAlign = "center";
    context.textBaseline = "middle";
    for (let n = 0; n < side; n += 5) {
      context.fillText(n, MARGIN + (n + 0.5) * SCALE, MARGIN / 2);
      context.fillText(n, MARGIN / 2, MARGIN + (n + 0.5) * SCALE);
    }
    for (let row = 0; row < side; row++) {
      for (let column = 0; column < side; column++) {
        context.fillStyle = `rgb(${colourOf(row, column)})`;
        context.fillRect(MARGIN + column * SCALE, MARGIN + row * SCALE, SCALE, SCALE);
      }
    }
    context.strokeStyle = "#6b6b6b";
    context.lineWidth = 1;
    context.strokeRect(MARGIN - 0.5, MARGIN - 0.5, side * SCALE + 1, side * SCALE + 1);
    return context;
  }

  function mark(context, row, column, side) {
    const box = [MARGIN + column * SCALE, MARGIN + row * SCALE, side * SCALE, side * SCALE];
    context.strokeStyle = "white";
    context.lineWidth = 5;
    context.strokeRect(...box);
    context.strokeStyle = `rgb(${BELOW})`;
    context.lineWidth = 3;
    context.strokeRect(...box);
  }

  function table(name, values, colourOf, sign) {
    const group = make("div", "", tables); // The sign stays with its table where they do not fit side by side.
    if (sign) make("b", "", group, sign);
    const figure = make("figure", "", group);
    make("figcaption", "", figure, name);
    const cells = make("div", "digitlab-lens-table", figure);
    cells.style.gridTemplateColumns = `repeat(${values.length}, 1fr)`;
    cells.dataset.side = values.length > 3 ? "large" : "small";
    for (const value of values.flat()) {
      const colour = colourOf(value);
      const cell = make("span", "", cells, written(value));
      cell.style.background = `rgb(${colour})`;
      cell.style.color = readable(colour);
    }
  }

  function draw() {
    const { weights, bias } = filter();
    const row = bound(model.get("row"));
    const column = bound(model.get("column"));
    const side = weights.length;
    const image = pixels();
    const limit = Math.max(...weights.flat().map(Math.abs)) || 1;
    if (select.length !== model.get("filters").length) {
      select.replaceChildren(...model.get("filters").map((one, number) => new Option(one.name, number)));
    }
    select.value = model.get("chosen");
    for (const { name, slider, output } of sliders) {
      slider.max = count() - 1;
      slider.value = output.textContent = name === "row" ? row : column;
    }

    const grey = (value) => [value, value, value];
    mark(grid(digit, SIDE, (r, c) => grey(image[r * SIDE + c])), row, column, side);

    const found = products(row, column);
    tables.replaceChildren();
    const byLimit = (value) => diverging(value, limit);
    table("pixels", found.map((line) => line.map((one) => one.pixel)), (value) => grey(Math.round(value * 255)), "");
    table("weights", weights, byLimit, "×");
    table("products", found.map((line) => line.map((one) => one.product)), byLimit, "=");

    const sums = Array.from({ length: count() }, (_, r) => Array.from({ length: count() }, (_, c) => total(r, c)));
    const shown = (value) => (relu.checked ? Math.max(0, value) : value);
    const largest = Math.max(...sums.flat().map((value) => Math.abs(shown(value)))) || 1;
    mark(grid(result, count(), (r, c) => diverging(shown(sums[r][c]), largest)), row, column, 1);

    const sum = total(row, column);
    const added = bias ? ` With the bias ${written(bias)} that makes ${written(sum)}.` : "";
    words.textContent =
      `Row ${row}, column ${column}: the ${side * side} products add up to ${written(sum - bias)}.${added}` +
      (relu.checked ? ` ReLU makes it ${written(Math.max(0, sum))}: this` : " This") +
      ` lands at row ${row}, column ${column} of the result.` +
      (held ? " (Held: click again to go on.)" : " (A click holds it.)");
  }

  function follow(canvas, middle) {
    const at = (event) => {
      const half = middle ? Math.floor(filter().weights.length / 2) : 0;
      const shrunk = canvas.clientWidth / parseFloat(canvas.style.width);
      const index = (offset) => Math.floor((offset / shrunk - MARGIN) / SCALE) - half;
      return { row: index(event.offsetY), column: index(event.offsetX) };
    };
    canvas.addEventListener("pointermove", (event) => {
      if (!held) place(at(event));
    });
    canvas.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      if (event.pointerType !== "touch") held = !held; // A finger does not hover.
      place(at(event));
      draw();
    });
    canvas.addEventListener("keydown", (event) => {
      const step = ARROWS[event.key];
      if (!step || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      place({ row: bound(model.get("row")) + step[0], column: bound(model.get("column")) + step[1] });
    });
  }
  follow(digit, true);
  follow(result, false);
  select.addEventListener("change", () => {
    model.set("chosen", Number(select.value));
    model.save_changes();
  });
  relu.addEventListener("change", draw);
  model.on("change", draw);
  draw();
  // A canvas keeps its colours when the theme changes: it is drawn again.
  const theme = new MutationObserver(draw);
  theme.observe(document.body, { attributeFilter: ["data-jp-theme-name"] });
  const contrast = matchMedia("(forced-colors: active)");
  contrast.addEventListener("change", draw);
  return () => {
    model.off("change", draw);
    theme.disconnect();
    contrast.removeEventListener("change", draw);
  };
}

export default { render };
