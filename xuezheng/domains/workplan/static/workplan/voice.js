// A note spoken into the page: recorded by the browser, put into the form's own file field and sent
// with it.  Where a browser cannot record, or the page is not secure, the file field stays as it is.
(function () {
  "use strict";

  const BITS = 32000; // a second: speech, not music
  const TYPES = ["audio/webm;codecs=opus", "audio/mp4", "audio/ogg;codecs=opus"];

  function prepare(box) {
    const input = box.querySelector("input[type=file]");
    const button = box.querySelector("[data-voice-button]");
    const words = box.querySelector("[data-voice-words]");
    const state = box.querySelector("[data-voice-state]");
    const longest = Number(box.dataset.seconds);
    let recorder = null;
    let seconds = 0;
    let timer = 0;

    function tell(text) {
      state.textContent = text.replace("{n}", String(seconds));
    }

    function keep(parts, type) {
      const plain = type.split(";")[0];
      const file = new File([new Blob(parts, { type: plain })], "voice", { type: plain });
      const transfer = new DataTransfer();
      transfer.items.add(file);
      input.files = transfer.files;
      words.textContent = box.dataset.again;
      tell(box.dataset.done);
    }

    async function start() {
      let stream;
      try {
        stream = await navigator.mediaDevices.getUserMedia({ audio: true });
      } catch {
        tell(box.dataset.refused);
        button.hidden = true;
        input.hidden = false;
        return;
      }
      const type = TYPES.find((name) => MediaRecorder.isTypeSupported(name));
      const options = type ? { mimeType: type, audioBitsPerSecond: BITS } : {};
      const parts = [];
      recorder = new MediaRecorder(stream, options);
      recorder.addEventListener("dataavailable", (event) => parts.push(event.data));
      recorder.addEventListener("stop", () => {
        clearInterval(timer);
        stream.getTracks().forEach((track) => track.stop());
        keep(parts, recorder.mimeType);
        recorder = null;
      });
      seconds = 0;
      recorder.start();
      words.textContent = box.dataset.stop;
      tell(box.dataset.recording);
      timer = setInterval(() => {
        seconds += 1;
        tell(box.dataset.recording);
        if (seconds >= longest && recorder) recorder.stop();
      }, 1000);
    }

    button.hidden = false;
    input.hidden = true;
    button.addEventListener("click", () => (recorder ? recorder.stop() : start()));
    // Sent while it records: what was said so far goes along.
    box.closest("form").addEventListener("submit", (event) => {
      if (!recorder) return;
      event.preventDefault();
      event.stopImmediatePropagation();
      const form = box.closest("form");
      recorder.addEventListener("stop", () => setTimeout(() => form.requestSubmit()));
      recorder.stop();
    }, true);
  }

  if (navigator.mediaDevices && window.MediaRecorder && window.DataTransfer) {
    document.querySelectorAll("[data-voice]").forEach(prepare);
  }
})();
