// Forms: errors take the focus, nothing is sent twice, nothing typed is lost by accident.
(function () {
  "use strict";

  const summary = document.querySelector("form:not([data-sample]) [data-error-summary]");
  if (summary) summary.focus();

  // Links of the summary put the cursor into the field.
  document.addEventListener("click", (event) => {
    const link = event.target.closest("[data-error-summary] a");
    const field = link && document.getElementById(link.hash.slice(1));
    if (!field) return;
    event.preventDefault();
    field.focus();
    field.closest(".field").scrollIntoView({ block: "center" });
  });

  let changed = false;
  document.addEventListener("input", (event) => {
    if (event.target.closest("form[data-guard]")) changed = true;
  });
  window.addEventListener("beforeunload", (event) => {
    if (!changed) return;
    event.preventDefault();
    event.returnValue = "";
  });

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented) return;
    if (form.matches("form[data-guard]")) changed = false;
    if (!form.matches("form[data-once]")) return;
    if (form.dataset.sent) {
      event.preventDefault();
      return;
    }
    form.dataset.sent = "1";
    form.querySelectorAll("button[type=submit]").forEach((button) => {
      button.setAttribute("aria-disabled", "true");
    });
  });

  // Coming back by the browser's button: the form may be sent again.
  window.addEventListener("pageshow", () => {
    document.querySelectorAll("form[data-once]").forEach((form) => {
      delete form.dataset.sent;
      form.querySelectorAll("button[aria-disabled]").forEach((button) => {
        button.removeAttribute("aria-disabled");
      });
    });
  });

  // A field that matters only for one choice: data-when="field=value" on the block around it.
  function follow() {
    document.querySelectorAll("[data-when]").forEach((block) => {
      const [name, wanted] = block.dataset.when.split("=");
      const chosen = block.closest("form").querySelector(`[name="${name}"]:checked, select[name="${name}"]`);
      const shown = Boolean(chosen) && wanted.split("|").includes(chosen.value);
      block.hidden = !shown;
      block.querySelectorAll("input, select, textarea").forEach((control) => {
        control.disabled = !shown;
      });
    });
  }
  if (document.querySelector("[data-when]")) {
    document.addEventListener("change", follow);
    follow();
  }
})();
