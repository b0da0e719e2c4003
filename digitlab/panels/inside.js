// The look inside a network: for each layer one picture with all its maps. Python sends the numbers, one byte each.

const GAP = 2; // pixels between two maps
const HEIGHT = 108; // pixels that a picture may be high
const LENS = 132; // pixels that the enlarged map is wide and high
const ABOVE = [0, 114, 178]; // blue, as in all figures of the kit
const BELOW = [213, 94, 0]; // orange
const KINDS = { convolution: "filters", dense: "neurons" };

// The colour of a number, -127 to 127: orange below 0, white 0, blue above.
function colour(value) {
  const end = value < 0 ? BELOW : ABOVE;
  const share = Math.abs(value) / 127;
  return end.map((channel) => Math.round(255 + (channel - 255) * share));
}
const COLOURS = Array.from({ length: 256 }, (_, byte) => colour(byte < 128 ? byte : byte - 256));

function size({ name, shape }) {
  if (name === "pixels") return { scale: 3, maps: 1, height: shape[0], width: shape[1] };
  const [height, width, maps] = shape.length === 3 ? shape : [1, 1, shape[0]];
  return { scale: shape.length === 1 ? 8 : height < 4 ? 3 : 2, maps, height, width };
}

class Picture {
  constructor(layer) {
    this.layer = layer;
    Object.assign(this, size(layer));
    this.stepY = this.height * this.scale + GAP;
    this.stepX = this.width * this.scale + GAP;
    this.columns = Math.ceil(this.maps / Math.max(1, Math.floor(HEIGHT / this.stepY)));
    this.figure = document.createElement("figure");
    this.canvas = document.createElement("canvas");
    this.canvas.width = this.columns * this.stepX - GAP;
    this.canvas.height = Math.ceil(this.maps / this.columns) * this.stepY - GAP;
    this.canvas.setAttribute("role", "img");
    const caption = document.createElement("figcaption");
    const name = document.createElement("b");
    name.textContent = layer.name;
    const kind = KINDS[layer.name.split(" ")[0]];
    caption.append(name, document.createElement("br"), kind ? `${this.maps} ${kind}` : `${this.height} x ${this.width}`);
    this.figure.append(this.canvas, caption);
  }

  draw(values, words) {
    this.values = values;
    this.canvas.setAttribute("aria-label", words);
    const context = this.canvas.getContext("2d");
    const image = context.createImageData(this.canvas.width, this.canvas.height);
    for (let map = 0; map < this.maps; map++) {
      const left = (map % this.columns) * this.stepX;
      const top = Math.floor(map / this.columns) * this.stepY;
      this.paint(image, map, left, top, this.scale);
    }
    context.putImageData(image, 0, 0);
  }

  paint(image, map, left, top, scale) {
    for (let y = 0; y < this.height * scale; y++) {
      for (let x = 0; x < this.width * scale; x++) {
        const value = this.at(map, Math.floor(y / scale), Math.floor(x / scale));
        const grey = Math.round((value / 127) * 255);
        const [r, g, b] = this.layer.name === "pixels" ? [grey, grey, grey] : COLOURS[value & 255];
        image.data.set([r, g, b, 255], ((top + y) * image.width + left + x) * 4);
      }
    }
  }

  at(map, row, column) {
    return this.values[(map * this.height + row) * this.width + column];
  }

  // The number of the map at a place of the picture, or -1. In a narrow window the picture is smaller than its pixels.
  mapAt(event) {
    const shrunk = this.canvas.width / this.canvas.clientWidth;
    const column = Math.floor((event.offsetX * shrunk) / this.stepX);
    const map = Math.floor((event.offsetY * shrunk) / this.stepY) * this.columns + column;
    return column < this.columns && map < this.maps ? map : -1;
  }
}

// The answer has no maps: ten bars with their digits.
class Answer {
  constructor(layer) {
    this.layer = layer;
    this.maps = 0;
    this.figure = document.createElement("figure");
    this.figure.className = "digitlab-inside-answer";
    this.list = document.createElement("div");
    this.list.setAttribute("role", "img");
    const caption = document.createElement("figcaption");
    const name = document.createElement("b");
    name.textContent = "answer";
    caption.append(name, document.createElement("br"), `${layer.shape[0]} digits`);
    this.figure.append(this.list, caption);
  }

  draw(values, words) {
    this.list.setAttribute("aria-label", words);
    this.list.replaceChildren(
      ...Array.from(values, (value, digit) => {
        const row = document.createElement("div");
        const bar = document.createElement("span");
        bar.style.width = `${(value / 127) * 100}%`;
        row.append(String(digit), bar);
        return row;
      }),
    );
  }
}

function render({ model, el }) {
  el.classList.add("digitlab-inside");
  const flow = document.createElement("div");
  flow.className = "digitlab-inside-flow";
  flow.tabIndex = 0;
  flow.setAttribute("role", "group");
  flow.setAttribute("aria-label", "The layers. The left and right arrow keys enlarge their maps, up and down go to another layer.");
  const message = document.createElement("div");
  const legend = document.createElement("figure");
  legend.className = "digitlab-inside-legend";
  legend.innerHTML = "<i></i><div><span>opposite</span><b>0</b><span>found</span></div><p>What is below 0 becomes 0 next (ReLU).</p>";
  const lens = document.createElement("div");
  lens.className = "digitlab-inside-lens";
  lens.hidden = true;
  const enlarged = document.createElement("canvas");
  const what = document.createElement("div");
  what.setAttribute("role", "status");
  lens.append(enlarged, what);
  el.append(message, flow, lens);

  let pictures = [];
  let looked = null; // The picture and the number of the map that is enlarged
  let shape = "";

  function build() {
    pictures = model.get("layers").map((layer) => (layer.name === "answer" ? new Answer(layer) : new Picture(layer)));
    flow.replaceChildren(...pictures.map((picture) => picture.figure), ...(pictures.length ? [legend] : []));
    for (const picture of pictures.filter((one) => one.maps > 1)) {
      const canvas = picture.canvas;
      canvas.addEventListener("pointermove", (event) => look(picture, picture.mapAt(event)));
      canvas.addEventListener("pointerdown", (event) => look(picture, picture.mapAt(event)));
      // A finger's map stays when the finger leaves, so that it can be seen; a tap elsewhere closes it.
      canvas.addEventListener("pointercancel", () => look(null, -1)); // The finger scrolls.
      canvas.addEventListener("pointerleave", (event) => event.pointerType === "touch" || look(null, -1));
    }
    look(null, -1);
  }

  function look(picture, map) {
    looked = picture && map >= 0 ? { picture, map } : null;
    lens.hidden = looked === null;
    if (!looked) return;
    const scale = Math.floor(LENS / picture.height);
    enlarged.width = picture.width * scale;
    enlarged.height = picture.height * scale;
    const context = enlarged.getContext("2d");
    const image = context.createImageData(enlarged.width, enlarged.height);
    picture.paint(image, map, 0, 0, scale);
    context.putImageData(image, 0, 0);
    const kind = picture.layer.name.startsWith("dense") ? "neuron" : "filter";
    what.textContent = `${picture.layer.name}, ${kind} ${map + 1}`;
    const { canvas } = picture;
    const shrunk = canvas.clientWidth / canvas.width; // In a narrow window
    const left = canvas.offsetLeft + (map % picture.columns) * picture.stepX * shrunk;
    lens.style.left = `${Math.max(0, Math.min(left, el.clientWidth - LENS - 20))}px`;
    // It stands above its picture, or below it where the part above is scrolled out of view.
    lens.style.top = `${canvas.offsetTop - LENS - 44}px`;
    const scroller = el.closest(".jp-mod-outputsScrolled .jp-Cell-outputArea, .jp-WindowedPanel-outer");
    const view = scroller?.getBoundingClientRect().top ?? 0;
    if (lens.getBoundingClientRect().top < view) lens.style.top = `${canvas.offsetTop + canvas.clientHeight + 8}px`;
  }

  flow.addEventListener("keydown", (event) => {
    const [step, layer] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key] ?? [];
    if (step === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    const enlargeable = pictures.filter((one) => one.maps > 1);
    const picture = enlargeable[looked ? enlargeable.indexOf(looked.picture) + layer : 0];
    const map = looked && layer === 0 ? looked.map + step : 0;
    if (picture && map >= 0 && map < picture.maps) look(picture, map);
  });
  flow.addEventListener("blur", () => look(null, -1));

  function draw() {
    const layers = model.get("layers");
    if (JSON.stringify(layers) !== shape) {
      shape = JSON.stringify(layers);
      build();
    }
    message.textContent = model.get("message");
    const bytes = model.get("values");
    const words = model.get("words");
    let start = 0;
    pictures.forEach((picture, number) => {
      const count = picture.layer.shape.reduce((product, side) => product * side, 1);
      picture.draw(new Int8Array(bytes.buffer, bytes.byteOffset + start, count), words[number]);
      start += count;
    });
    if (looked) look(looked.picture, looked.map);
  }

  // What belongs to one drawing arrives in one message: it is drawn when all of it is there.
  model.on("change", draw);
  draw();
  return () => model.off("change", draw);
}

export default { render };
