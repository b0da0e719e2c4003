// A loss curve with one weight on it: a slider moves the weight, and steps go down the slope.

const WIDTH = 560;
const HEIGHT = 300;
const EDGE = { left: 54, right: 16, top: 18, bottom: 42 };
const SVG = "http://www.w3.org/2000/svg";

const written = (value, digits = 2) => {
  const size = Math.abs(value);
  const text = size >= 1000 ? value.toPrecision(3) : value.toFixed(size >= 10 ? 1 : digits);
  return text.replace("-", "−").replace(/^−(0\.0+)$/, "$1");
};

// Round numbers between two ends, some four to eight of them.
function ticks(low, high) {
  const rough = (high - low) / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((one) => one >= rough);
  const count = Math.floor(high / step) - Math.ceil(low / step) + 1;
  const digits = Math.max(0, -Math.floor(Math.log10(step)));
  return Array.from({ length: count }, (_, n) => {
    const value = (Math.ceil(low / step) + n) * step;
    return { value, text: value.toFixed(digits).replace("-", "−") };
  });
}

function shape(tag, name, parent, attributes = {}) {
  const element = document.createElementNS(SVG, tag);
  if (name) element.setAttribute("class", name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  parent?.append(element);
  return element;
}

function render({ model, el }) {
  el.classList.add("digitlab-slope", "digitlab-widget");
  const low = model.get("low");
  const high = model.get("high");
  const losses = model.get("losses");
  const first = 2 * low - high; // The curve goes on beyond the picture, as far again to both sides.
  const distance = (3 * (high - low)) / (losses.length - 1);
  const inside = losses.slice((losses.length - 1) / 3, (2 * (losses.length - 1)) / 3 + 1);
  const bottom = Math.min(0, ...inside) * 1.1;
  const top = Math.max(0, ...inside) * 1.1 || (bottom ? 0 : 1);

  function between(values, weight) {
    const position = Math.max(0, Math.min(values.length - 1, (weight - first) / distance));
    const left = Math.min(Math.floor(position), values.length - 2);
    return values[left] + (values[left + 1] - values[left]) * (position - left);
  }
  const slopes = losses.map((_, n) => {
    const before = Math.max(0, n - 1);
    const after = Math.min(losses.length - 1, n + 1);
    return (losses[after] - losses[before]) / ((after - before) * distance);
  });
  const isInside = (weight) => weight >= low && weight <= high;
  const isKnown = (weight) => weight >= first && weight <= 2 * high - low;
  const x = (weight) => EDGE.left + ((weight - low) / (high - low)) * (WIDTH - EDGE.left - EDGE.right);
  const y = (loss) => HEIGHT - EDGE.bottom - ((loss - bottom) / (top - bottom)) * (HEIGHT - EDGE.top - EDGE.bottom);

  const left = make("div", "digitlab-slope-picture", el);
  const svg = shape("svg", "", left, { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img" });
  const axes = shape("g", "digitlab-slope-axes", svg);
  shape("path", "", axes, { d: `M${EDGE.left} ${EDGE.top}V${y(bottom)}H${WIDTH - EDGE.right}` });
  for (const { value, text } of ticks(low, high)) {
    shape("text", "", axes, { x: x(value), y: y(bottom) + 18, "text-anchor": "middle" }).textContent = text;
  }
  for (const { value, text } of ticks(bottom, top)) {
    shape("text", "", axes, { x: EDGE.left - 6, y: y(value) + 4, "text-anchor": "end" }).textContent = text;
  }
  shape("text", "", axes, { x: WIDTH / 2, y: HEIGHT - 6, "text-anchor": "middle" }).textContent = "weight";
  shape("text", "", axes, { x: EDGE.left + 8, y: EDGE.top + 4 }).textContent = "loss";
  const curve = inside.map((loss, n) => `${x(low + n * distance).toFixed(1)} ${y(loss).toFixed(1)}`);
  shape("path", "digitlab-slope-curve", svg, { d: `M${curve.join("L")}` });
  const moving = shape("g", "", svg);
  const slider = make("input", "", left);
  Object.assign(slider, { type: "range", min: low, max: high, step: 10 ** Math.floor(Math.log10((high - low) / 100)) });
  slider.setAttribute("aria-label", "weight");

  const right = make("div", "digitlab-slope-controls", el);
  const label = make("label", "", right, "Learning rate ");
  const select = make("select", "", label);
  select.append(...model.get("rates").map(({ name, rate }, n) => new Option(`${name}: ${rate}`, n)));
  const buttons = make("div", "digitlab-slope-buttons", right);
  button("Step", () => step(1));
  button("Ten steps", () => step(10));
  button("Back to the start", back);
  const words = make("div", "digitlab-slope-words", right);
  words.setAttribute("role", "status");

  function button(text, act) {
    const element = make("button", "jupyter-button", buttons, text);
    element.addEventListener("click", act);
  }

  const rate = () => model.get("rates")[model.get("chosen")].rate;
  const next = (weight) => weight - rate() * between(slopes, weight);

  function go(history) {
    model.set("history", history);
    model.set("weight", history[history.length - 1]);
    model.save_changes(); // The change draws.
  }
  function step(count) {
    const history = [...model.get("history")];
    for (let n = 0; n < count && isKnown(history[history.length - 1]); n++) history.push(next(history[history.length - 1]));
    go(history);
  }
  function back() {
    go([model.get("start")]);
  }

  // A weight that is out of the picture: an arrow at the edge, and to where.
  function beyond(weight, height) {
    const end = weight > high ? WIDTH - EDGE.right : EDGE.left;
    const inward = weight > high ? -1 : 1;
    const tip = `M${end} ${height}l${14 * inward} -7v14z`;
    shape("path", "digitlab-slope-beyond", moving, { d: tip });
    const text = shape("text", "digitlab-slope-beyond", moving, {
      x: end + 18 * inward, y: height + 5, "text-anchor": weight > high ? "end" : "start" });
    text.textContent = `to ${written(weight)}`;
  }

  function draw() {
    const weight = model.get("weight");
    const history = model.get("history");
    moving.replaceChildren();
    const trail = history.filter(isInside);
    const points = trail.map((one) => `${x(one)},${y(between(losses, one))}`);
    shape("polyline", "digitlab-slope-trail", moving, { points: points.join(" ") });
    for (const one of trail) {
      shape("circle", "digitlab-slope-past", moving, { cx: x(one), cy: y(between(losses, one)), r: 4 });
    }
    const loss = between(losses, weight);
    const slope = between(slopes, weight);
    select.value = model.get("chosen");
    slider.value = weight;
    const steps = history.length > 1 ? `${history.length - 1} step${history.length > 2 ? "s" : ""} so far. ` : "";
    let said;
    if (isInside(weight)) {
      const length = (high - low) / 8;
      const ends = [weight - length, weight + length];
      const tangent = ends.map((one) => `${x(one)} ${y(loss + slope * (one - weight))}`);
      shape("path", "digitlab-slope-tangent", moving, { d: `M${tangent.join("L")}` });
      const to = next(weight);
      shape("circle", "digitlab-slope-now", moving, { cx: x(weight), cy: y(loss), r: 7 });
      if (!isInside(to)) beyond(to, y(loss));
      const sign = slope < 0 ? "to the right" : "to the left";
      const flat = Math.abs(slope) * (high - low) < 0.005 * (top - bottom);
      said = [
        ["weight", written(weight)],
        ["loss", written(loss)],
        ["slope", `${written(slope, 3)}${flat ? " (flat)" : `: down is ${sign}`}`],
        ["step", `−${rate()} × ${written(slope, 3)} = ${written(-rate() * slope)}`],
        ["next weight", `${written(to)}${isInside(to) ? "" : " (out of the picture)"}`],
      ];
    } else {
      beyond(weight, y(between(losses, trail[trail.length - 1] ?? low)));
      said = [
        ["weight", `${written(weight)}: out of the picture`],
        ["loss", isKnown(weight) ? written(loss) : "far above"],
      ];
    }
    words.replaceChildren(...said.map(([name, value]) => {
      const row = make("div", "");
      make("b", "", row, name);
      make("span", "", row, value);
      return row;
    }));
    make("p", "", words, steps);
    svg.setAttribute("aria-label", `Loss curve. ${said.map((pair) => pair.join(" ")).join("; ")}.`);
  }

  slider.addEventListener("input", () => go([Number(slider.value)]));
  select.addEventListener("change", () => {
    model.set("chosen", Number(select.value));
    model.save_changes();
  });
  model.on("change", draw);
  draw();
  return () => model.off("change", draw);
}

export default { render };
