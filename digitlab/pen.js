// The pen of the drawing pad: it draws under the hand at once, and sends the points to Python in batches.
//
// Python draws what it has received on the canvas below. Then the pen wipes it from its own layer. Strokes and points
// are numbered: Python answers each batch with the stroke and the number of points it has, and after a loss the pen
// sends the rest again. So nothing is lost or doubled when messages are.

const SEND_EVERY = 50; // milliseconds
const HALF_FRAME = 8; // milliseconds
const LATE = 100; // milliseconds; an answer that is later counts as this late
const AWAY_AFTER = 2000; // milliseconds without an answer
const PALM_TIME = 500; // milliseconds after the stylus in which a finger is taken for the palm
const STEP = 6; // pixels that an arrow key moves the cross
const ARROWS = { ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0], ArrowUp: [0, -STEP], ArrowDown: [0, STEP] };
const LABEL =
  "Drawing canvas. The arrow keys move a cross, and the space key puts the pen down and lifts it. " +
  "Backspace removes the last stroke, and Escape clears the canvas.";
const AWAY = "Python does not answer. Your lines are kept. After a restart, run this cell again.";

// Strokes that a kernel never got before it was restarted, by notebook cell and pen: the next pens of that cell send them.
const unsent = (globalThis.digitlabUnsent ??= new WeakMap());

function render({ model, el }) {
  const size = model.get("size");
  const id = crypto.randomUUID?.() ?? String(Math.random());
  let cell = null;

  el.classList.add("digitlab-pen");
  el.tabIndex = 0;
  el.setAttribute("role", "application");
  el.setAttribute("aria-label", LABEL);
  // JupyterLab's keys must not act on the notebook meanwhile (shared.js); of those with Ctrl, only the pad's are its own.
  el.digitlabIsOurs = (event) => isOurs(event) || model.get("shortcuts").includes(named(event));
  const canvas = document.createElement("canvas");
  const away = document.createElement("div");
  away.className = "digitlab-away";
  away.setAttribute("role", "status");
  el.append(canvas, away);
  const sharpness = Math.max(2, window.devicePixelRatio || 1);
  canvas.width = canvas.height = size * sharpness;
  const context = canvas.getContext("2d");
  context.scale(sharpness, sharpness);

  // What is drawn and what Python has of it

  let strokes = []; // Those that Python does not have whole: {points: [[x, y], ...], ended, dropped}
  let first = 0; // Number of strokes[0]
  let sent = { stroke: 0, count: 0 }; // The next point to be sent
  let received = { stroke: 0, count: 0 }; // The next point that Python lacks
  let wiped = []; // Strokes that Python has drawn, until the page shows that
  let batch = 0; // Number of the last batch
  let answered = 0; // Number of the last batch that Python has answered
  let lastSent = -Infinity;
  const times = []; // When each batch was sent
  let distance = Infinity; // The shortest time from a batch to its answer
  let delay = 0; // How much longer the last answers took, on average
  let heard = 0; // When Python answered last, or had nothing to answer
  let patience = AWAY_AFTER;
  let timer = null;

  function hasMore() {
    const stroke = strokes[sent.stroke - first];
    return stroke !== undefined && (stroke.ended || stroke.points.length > sent.count);
  }

  // Where Python is near, the next batch waits for the answer to the last one. Where it is far, several are on the way.
  function mayBeOnTheWay() {
    return distance === Infinity ? 1 : 1 + Math.floor(distance / SEND_EVERY);
  }

  // If answers are later than the distance explains, the computer has much to do, for other pads perhaps. Then it gets
  // fewer and larger batches: points that wait here are answered sooner than points that wait in a queue there.
  function sendAgainAfter() {
    return Math.max(SEND_EVERY, 3 * delay);
  }

  function send(now = false) {
    const time = performance.now();
    if (!hasMore()) return;
    if (!now) {
      if (batch - answered >= mayBeOnTheWay()) return; // Its answer sends the rest.
      const wait = lastSent + sendAgainAfter() - time;
      if (wait > HALF_FRAME) {
        // A little later than that: the next point comes with the screen's next frame, and the batch takes it along.
        timer ??= setTimeout(() => {
          timer = null;
          send();
        }, wait + HALF_FRAME);
        return;
      }
    }
    const parts = [];
    while (hasMore()) {
      const { points, ended, dropped } = strokes[sent.stroke - first];
      parts.push({ stroke: sent.stroke, from: sent.count, points: points.slice(sent.count), ended, dropped });
      sent = ended ? { stroke: sent.stroke + 1, count: 0 } : { stroke: sent.stroke, count: points.length };
    }
    if (batch === answered) heard = time;
    batch += 1;
    times[batch] = lastSent = time;
    tell({ type: "points", pen: id, batch, parts });
  }

  function tell(content) {
    try {
      model.send(content);
    } catch {
      // The kernel was restarted; the status line says that Python does not answer.
    }
  }

  function hear(content) {
    if (content.pen !== id) return;
    if (content.type === "cut") {
      if (current !== null && first + strokes.indexOf(current) === content.stroke) end();
      paint();
      return;
    }
    heard = performance.now();
    patience = AWAY_AFTER;
    away.textContent = "";
    const took = heard - times[content.batch];
    distance = Math.min(distance, took);
    delay += (Math.min(took - distance, LATE) - delay) / 10;
    answered = Math.max(answered, content.batch);
    received = { stroke: content.stroke, count: content.count };
    const done = strokes.splice(0, Math.max(0, received.stroke - first));
    first += done.length;
    if (done.length) {
      wiped.push(...done);
      // The canvas below shows them in the next frame.
      requestAnimationFrame(() =>
        requestAnimationFrame(() => {
          wiped = wiped.filter((stroke) => !done.includes(stroke));
          paint();
        }),
      );
    }
    if (answered === batch) sent = received; // Nothing is on the way: what Python lacks now was lost.
    send();
  }

  const clock = setInterval(() => {
    // A kernel that was restarted does not know this pad.
    if (el.closest(".jupyter-widgets-disconnected")) tellAway();
    if (answered === batch || performance.now() - heard < patience) return;
    tellAway();
    heard = performance.now();
    patience = Math.min(2 * patience, 10_000);
    sent = received;
    send(true);
  }, 500);

  function tellAway() {
    // A screen reader reads whatever is written anew.
    if (away.textContent !== AWAY) away.textContent = AWAY;
  }

  // Drawing

  let current = null; // The stroke that is being drawn
  let pointer = null; // The pointer that draws it: its id, or "key"
  let isFinger = false; // Whether that is a finger, or the palm
  let stylusSeen = -Infinity;
  let cross = null; // Where the keyboard's cross is

  function begin(x, y, by, kind) {
    current = { points: [[x, y]], ended: false, dropped: false };
    pointer = by;
    isFinger = kind === "touch";
    strokes.push(current);
    paint();
    lastSent = performance.now(); // The first point waits for those that follow at once.
    send();
  }

  function move(x, y) {
    const [lastX, lastY] = current.points.at(-1);
    if (x !== lastX || y !== lastY) current.points.push([x, y]);
  }

  function end(dropped = false) {
    if (current === null) return;
    current.ended = true;
    current.dropped = dropped;
    current = pointer = null;
    paint();
    send(true);
  }

  function paint() {
    context.clearRect(0, 0, size, size);
    context.strokeStyle = model.get("color");
    context.lineWidth = model.get("width");
    context.lineCap = context.lineJoin = "round";
    for (const { points, dropped } of [...wiped, ...strokes]) {
      if (dropped) continue;
      context.beginPath();
      context.moveTo(...points[0]);
      for (let i = 1; i < points.length - 1; i++) {
        const [x, y] = points[i];
        context.quadraticCurveTo(x, y, (x + points[i + 1][0]) / 2, (y + points[i + 1][1]) / 2);
      }
      context.lineTo(...points.at(-1));
      context.stroke();
    }
    if (cross !== null) {
      context.strokeStyle = pointer === "key" ? "#ff9800" : "#4fc3f7";
      context.lineWidth = 2;
      context.strokeRect(cross.x - 9, cross.y, 18, 0);
      context.strokeRect(cross.x, cross.y - 9, 0, 18);
      if (pointer === "key") context.strokeRect(cross.x - 9, cross.y - 9, 18, 18); // The pen is down.
    }
  }

  // The hand

  function place(event) {
    const { left, top, width } = el.getBoundingClientRect();
    const round = (value) => Math.round(Math.min(Math.max((value * size) / width, 0), size) * 100) / 100;
    return [round(event.clientX - left), round(event.clientY - top)];
  }

  el.addEventListener("pointerdown", (event) => {
    if (event.pointerType === "pen") stylusSeen = performance.now();
    if (event.button !== 0) return;
    event.preventDefault();
    el.focus({ preventScroll: true });
    const byClicks = model.get("by_clicks") && event.pointerType === "mouse";
    if (pointer !== null) {
      if (byClicks && pointer === event.pointerId) {
        move(...place(event));
        end();
        return;
      }
      // The palm touches the screen before the stylus does.
      if (event.pointerType !== "pen" && pointer !== "key") return;
      end(isFinger);
    } else if (event.pointerType === "touch" && performance.now() - stylusSeen < PALM_TIME) return;
    cross = null;
    begin(...place(event), event.pointerId, event.pointerType);
    if (byClicks) return;
    try {
      el.setPointerCapture(event.pointerId); // The stroke goes on when the hand overshoots the edge and comes back.
    } catch {
      // The pointer was lifted already.
    }
  });

  // Otherwise a finger's quick stroke goes on as a scroll that has momentum, and the browser swallows the next tap.
  el.addEventListener("touchstart", (event) => event.preventDefault(), { passive: false });

  el.addEventListener("pointermove", (event) => {
    if (event.pointerType === "pen") stylusSeen = performance.now();
    if (event.pointerId !== pointer) return;
    if (event.pointerType === "mouse" && !model.get("by_clicks") && !(event.buttons & 1)) return end();
    const events = event.getCoalescedEvents?.() ?? [];
    for (const each of events.length ? events : [event]) move(...place(each));
    paint();
    send();
  });

  function lift(event) {
    if (event.pointerId !== pointer || (model.get("by_clicks") && event.pointerType === "mouse")) return;
    if (event.type === "pointerup") move(...place(event));
    end();
  }
  for (const type of ["pointerup", "pointercancel", "lostpointercapture"]) el.addEventListener(type, lift);
  el.addEventListener("pointerleave", (event) => {
    if (event.pointerId !== pointer || el.hasPointerCapture(event.pointerId)) return;
    move(...place(event));
    end();
  });

  el.addEventListener("keydown", (event) => {
    const held = event.ctrlKey || event.metaKey;
    const name = named(event);
    if (!held && name in ARROWS) {
      cross ??= { x: size / 2, y: size / 2 };
      cross.x = Math.min(Math.max(cross.x + ARROWS[name][0], 0), size);
      cross.y = Math.min(Math.max(cross.y + ARROWS[name][1], 0), size);
      if (pointer === "key") move(cross.x, cross.y);
      send();
    } else if (name === " ") {
      cross ??= { x: size / 2, y: size / 2 };
      const isFirst = !event.repeat; // Not one of those that come while it is held down.
      if (isFirst && pointer === "key") end();
      else if (isFirst && pointer === null) begin(cross.x, cross.y, "key", "key");
    } else if (model.get("shortcuts").includes(name)) {
      end();
      tell({ type: "key", key: name });
    } else return;
    event.preventDefault();
    paint();
  });
  // The letter on the key where Caps Lock is on, or the alphabet is another one.
  function letter({ key, code, shiftKey }) {
    if (key.length > 1 || shiftKey) return key;
    return key < "\x7f" ? key.toLowerCase() : (/^Key([A-Z])$/.exec(code)?.[1].toLowerCase() ?? key);
  }
  function isOurs(event) {
    if (event.key === "Enter" && event.shiftKey) return runsThisPad(event);
    return !event.ctrlKey && !event.metaKey && !event.altKey;
  }
  function named(event) {
    return event.ctrlKey || event.metaKey ? `Ctrl+${letter(event)}` : letter(event);
  }

  // Shift+Enter would run the pad's own cell again, and what is drawn would be gone: it goes on to the next cell.
  function runsThisPad({ key, shiftKey }) {
    return key === "Enter" && shiftKey && cell?.matches(".jp-mod-active") && !el.closest(".jupyter-widgets-disconnected");
  }
  function goOn(event) {
    if (!runsThisPad(event)) return;
    event.preventDefault();
    cell.nextElementSibling?.focus();
  }

  el.addEventListener("focus", () => {
    if (el.matches(":focus-visible")) cross ??= { x: size / 2, y: size / 2 };
    paint();
  });
  el.addEventListener("blur", () => {
    cross = null;
    if (pointer === "key") end();
    paint();
  });

  // The page

  model.on("msg:custom", hear);
  const endStroke = () => end();
  model.on("change:by_clicks", endStroke);

  const watch = new ResizeObserver(() => {
    if (!el.isConnected) return;
    // The canvas below takes no events, and the Tab key passes it over.
    for (const other of el.parentElement.children) if (other !== el) other.inert = true;
    if (cell !== null) return;
    cell = el.closest(".jp-Cell") ?? el.parentElement;
    const pad = el.closest(".digitlab-pad");
    pad.digitlabIsOurs = isOurs;
    pad.addEventListener("keydown", goOn);
    const left = unsent.get(cell)?.shift();
    if (left) {
      strokes.push(...left);
      paint();
      send(true);
    }
    show(cell);
  });
  watch.observe(el);

  // Shift + Enter goes on to the next cell, and the pad would be out of sight.
  function show(cell) {
    const isNew = !model.get("shown");
    model.set("shown", true);
    model.save_changes();
    const next = cell.nextElementSibling;
    if (isNew && [cell, next].some((one) => one?.classList.contains("jp-mod-active")))
      el.closest(".digitlab-pad").scrollIntoView({ block: "nearest" });
  }

  return () => {
    end();
    send(true);
    clearInterval(clock);
    clearTimeout(timer);
    watch.disconnect();
    model.off("msg:custom", hear);
    model.off("change:by_clicks", endStroke);
    if (cell !== null && away.textContent) unsent.set(cell, [...(unsent.get(cell) ?? []), strokes]);
  };
}

export default { render };
