// Photos are made smaller before they are sent, and shown first.  The picture is drawn on a canvas,
// because our content policy allows no blob: images; that also drops the place kept in the file.
// Where a browser cannot do this, the file is sent as it is.
(function () {
  "use strict";

  const LONGEST = 2000; // pixels: enough to read a label in the picture
  const ENOUGH = 2 * 1024 * 1024; // bytes
  const PREVIEW = 256;

  function canvasOf(bitmap, longest) {
    const scale = Math.min(1, longest / Math.max(bitmap.width, bitmap.height));
    const canvas = document.createElement("canvas");
    canvas.width = Math.round(bitmap.width * scale);
    canvas.height = Math.round(bitmap.height * scale);
    canvas.getContext("2d").drawImage(bitmap, 0, 0, canvas.width, canvas.height);
    return canvas;
  }

  function jpegOf(canvas, quality) {
    return new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", quality));
  }

  async function smaller(file, bitmap) {
    for (const [longest, quality] of [[LONGEST, 0.85], [1600, 0.75], [1200, 0.7]]) {
      const blob = await jpegOf(canvasOf(bitmap, longest), quality);
      if (blob && blob.size <= ENOUGH) {
        const name = file.name.replace(/\.[^.]*$/, "") + ".jpg";
        return new File([blob], name, { type: "image/jpeg" });
      }
    }
    return file;
  }

  async function prepare(file) {
    if (!file.type.startsWith("image/") || !window.createImageBitmap) return { file };
    try {
      const bitmap = await createImageBitmap(file);
      const preview = canvasOf(bitmap, PREVIEW);
      return { file: await smaller(file, bitmap), preview };
    } catch {
      return { file }; // not a picture that this browser reads (HEIC on Windows, say)
    }
  }

  function write(input, files) {
    const transfer = new DataTransfer();
    files.forEach((file) => transfer.items.add(file));
    input.files = transfer.files;
  }

  function show(box, input, items) {
    const list = box.querySelector("[data-uploads-list]");
    const words = items.length === 1 ? box.dataset.one : box.dataset.many;
    box.querySelector("[data-uploads-note]").textContent =
      items.length ? words.replace("{n}", items.length) : "";
    list.textContent = "";
    items.forEach((item, index) => {
      const entry = document.createElement("li");
      entry.className = "uploads-item";
      const picture = item.preview || document.createElement("div");
      if (item.preview) {
        picture.setAttribute("role", "img");
        picture.setAttribute("aria-label", item.file.name);
      } else {
        picture.className = "uploads-file";
        picture.textContent = item.file.name.split(".").pop().toUpperCase();
      }
      const name = document.createElement("p");
      name.textContent = item.file.name;
      const remove = document.createElement("button");
      remove.type = "button";
      remove.className = "link";
      remove.textContent = box.dataset.remove;
      remove.setAttribute("aria-label", `${box.dataset.remove} ${item.file.name}`);
      remove.addEventListener("click", () => {
        items.splice(index, 1);
        write(input, items.map((each) => each.file));
        show(box, input, items);
        input.focus();
      });
      entry.append(picture, name, remove);
      list.append(entry);
    });
  }

  document.querySelectorAll("[data-uploads]").forEach((box) => {
    const input = box.querySelector("input[type=file]");
    const form = input.form;
    const items = [];
    let waiting = null;

    input.addEventListener("change", () => {
      const chosen = [...input.files];
      waiting = Promise.all(chosen.map(prepare)).then((ready) => {
        // Choosing again adds, as long as the field takes several.
        if (!input.multiple) items.length = 0;
        items.push(...ready);
        write(input, items.map((item) => item.file));
        show(box, input, items);
        waiting = null;
      });
    });

    // Sent while pictures are still being made smaller: wait for them.
    form.addEventListener("submit", (event) => {
      if (!waiting) return;
      event.preventDefault();
      waiting.then(() => form.requestSubmit ? form.requestSubmit(event.submitter) : form.submit());
    });
  });
})();
