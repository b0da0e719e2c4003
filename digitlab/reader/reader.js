// A photo with a button at each digit. A chosen file is made smaller here, so that only a small photo travels.

const MAX_PIXELS = 4_000_000;

async function smaller(file) {
    const bitmap = await createImageBitmap(file);
    const scale = Math.min(1, Math.sqrt(MAX_PIXELS / (bitmap.width * bitmap.height)));
    const canvas = document.createElement("canvas");
    canvas.width = Math.max(1, Math.round(bitmap.width * scale));
    canvas.height = Math.max(1, Math.round(bitmap.height * scale));
    const context = canvas.getContext("2d");
    context.fillStyle = "white"; // Behind what is transparent.
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.imageSmoothingQuality = "high";
    context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
    bitmap.close();
    return new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", 0.92));
}

function render({ model, el }) {
    const chooser = document.createElement("input");
    chooser.type = "file";
    chooser.accept = "image/*";
    chooser.setAttribute("aria-label", "Choose a photo");
    const sheet = document.createElement("div");
    sheet.className = "digitlab-sheet";
    const photo = document.createElement("img");
    el.append(chooser, sheet);

    chooser.addEventListener("change", async () => {
        const file = chooser.files[0];
        if (!file) return;
        try {
            const photo = await smaller(file).then((blob) => blob.arrayBuffer()).catch(() => null);
            if (photo) model.send({ name: file.name }, undefined, [photo]);
            else model.send({ name: file.name, failed: true });
        } finally {
            chooser.value = ""; // The same file can be chosen again.
        }
    });

    function showPhoto() {
        photo.src = model.get("photo");
        photo.alt = model.get("words");
    }

    function showBoxes() {
        const hadFocus = sheet.contains(document.activeElement);
        const boxes = model.get("boxes").map((box, number) => {
            const button = document.createElement("button");
            button.className = box.sure ? "" : "digitlab-unsure";
            button.style.cssText = `left:${box.x}%;top:${box.y}%;width:${box.width}%;height:${box.height}%`;
            button.tabIndex = number === Math.max(0, model.get("chosen")) ? 0 : -1; // The arrows go to the others.
            button.title = box.words;
            button.setAttribute("aria-label", box.words);
            button.setAttribute("aria-pressed", String(number === model.get("chosen")));
            const answer = document.createElement("span");
            answer.textContent = box.text;
            button.append(answer);
            button.addEventListener("click", () => choose(number));
            // The focus chooses, too: the digit that is pressed next is meant for the box that is marked.
            button.addEventListener("focus", () => number !== model.get("chosen") && choose(number));
            return button;
        });
        sheet.replaceChildren(photo, ...boxes);
        if (hadFocus) boxes[model.get("chosen")]?.focus();
    }

    let sent = 0;
    function choose(number) {
        const last = model.get("boxes").length - 1;
        const chosen = Math.max(0, Math.min(number, last));
        sent += 1;
        model.set("chosen", chosen);
        // A change would wait for the answer to the last one, and a key that is pressed next would not.
        model.send({ chosen, number: sent });
    }

    sheet.addEventListener("keydown", (event) => {
        if (event.ctrlKey || event.metaKey || event.altKey) return;
        const step = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 }[event.key];
        if (step) choose(model.get("chosen") + step);
        else if (/^[0-9]$/.test(event.key)) model.send({ digit: Number(event.key) });
        else return;
        event.preventDefault();
    });

    const watched = {
        "msg:custom": ({ chosen, number }) => number === sent && model.set("chosen", chosen),
        "change:photo change:words": showPhoto,
        "change:boxes change:chosen": showBoxes,
    };
    for (const [event, act] of Object.entries(watched)) model.on(event, act);
    showPhoto();
    showBoxes();
    return () => {
        for (const [event, act] of Object.entries(watched)) model.off(event, act);
    };
}

export default { render };
