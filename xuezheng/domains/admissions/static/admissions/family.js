// A draft is saved at each change; without this file the button saves the whole page.
(function () {
  "use strict";

  const form = document.querySelector("form[data-draft]");
  if (!form) return;
  const saved = document.querySelector("[data-saved]");
  const words = saved.querySelector("span");
  const version = form.elements.version;
  // One request after the other: each carries the version that the one before it made.
  let turn = Promise.resolve();
  let stopped = false;

  function tell(text, wrong) {
    words.textContent = text;
    saved.classList.toggle("is-wrong", Boolean(wrong));
    const live = document.getElementById("live");
    if (live && wrong) live.textContent = text;
  }

  function showZone(zone) {
    const found = document.querySelector("[data-zone-found]");
    if (!found || zone === undefined) return;
    found.querySelector("[data-zone]").textContent = zone;
    found.hidden = !zone;
    document.querySelector("[data-zone-none]").hidden = Boolean(zone);
  }

  async function send(name) {
    if (stopped) return;
    tell(saved.dataset.waits);
    const data = new FormData(form);
    data.append("changed", name);
    try {
      const answer = await fetch(form.dataset.draft, { method: "POST", body: data, redirect: "error" });
      if (answer.status === 409) {
        stopped = true;
        document.querySelector("[data-conflict]").hidden = false;
        tell(saved.dataset.fails, true);
        return;
      }
      if (!answer.ok) throw new Error(String(answer.status));
      const kept = await answer.json();
      version.value = kept.version;
      showZone(kept.zone);
      const wrong = Object.values(kept.errors)[0];
      if (wrong) tell(saved.dataset.refused + wrong, true);
      else tell(`${saved.dataset.words} ${kept.saved}`);
    } catch {
      tell(saved.dataset.fails, true);
    }
  }

  form.addEventListener("change", (event) => {
    const name = event.target.name;
    if (!name || event.target.type === "hidden") return;
    turn = turn.then(() => send(name));
  });

  // The button waits for the save that a last change began, so that it carries the newest version.
  form.addEventListener("submit", (event) => {
    if (form.dataset.ready) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    // Not within this event: a form that is being submitted cannot be submitted.
    turn.then(() => setTimeout(() => {
      form.dataset.ready = "1";
      form.requestSubmit(event.submitter || undefined);
    }));
  }, true);

  window.addEventListener("pageshow", () => {
    delete form.dataset.ready;
  });
})();
