// The bar on top, menus, large text, small helpers that sit on buttons.  All of it works, in a plainer
// way, without this file.
(function () {
  "use strict";

  const root = document.documentElement;
  const YEAR = 365 * 24 * 3600;

  function announce(words) {
    const live = document.getElementById("live");
    if (live) live.textContent = words;
  }

  // Large text at once, without loading the page again: nothing that was typed is lost.
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-large-text]");
    if (!button) return;
    event.preventDefault();
    const large = root.classList.toggle("elder");
    const secure = location.protocol === "https:" ? "; Secure" : "";
    const age = large ? YEAR : 0;
    document.cookie = `large_text=1; Path=/; Max-Age=${age}; SameSite=Lax${secure}`;
    button.setAttribute("aria-pressed", String(large));
    button.value = large ? "0" : "1";
    window.dispatchEvent(new Event("resize"));
  });

  // The folded menu of narrow screens.
  document.addEventListener("click", (event) => {
    const toggle = event.target.closest("[data-fold-toggle]");
    if (!toggle) return;
    const open = toggle.closest("[data-topbar]").classList.toggle("is-open");
    toggle.setAttribute("aria-expanded", String(open));
  });

  // Popovers close by Escape, by a click elsewhere, and when another one opens.
  function close(except) {
    document.querySelectorAll("details[data-popover][open]").forEach((popover) => {
      if (popover !== except) popover.open = false;
    });
  }
  document.addEventListener("click", (event) => close(event.target.closest("details[data-popover]")));
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    const open = document.querySelector("details[data-popover][open]");
    if (!open) return;
    open.open = false;
    open.querySelector("summary").focus();
  });

  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-print]")) window.print();
  });

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button || !navigator.clipboard) return;
    const text = button.dataset.copy || location.href;
    navigator.clipboard.writeText(text).then(() => announce(button.dataset.copied || ""));
  });

  // One tick box for all rows of a form, and the number that are ticked.
  document.addEventListener("change", (event) => {
    const form = event.target.closest("form[data-bulk]");
    if (!form || event.target.type !== "checkbox") return;
    const boxes = [...form.querySelectorAll("input[type=checkbox][data-row]")];
    const all = form.querySelector("input[data-all]");
    if (event.target === all) boxes.forEach((box) => (box.checked = all.checked));
    const ticked = boxes.filter((box) => box.checked).length;
    if (all) {
      all.checked = ticked > 0 && ticked === boxes.length;
      all.indeterminate = ticked > 0 && ticked < boxes.length;
    }
    form.querySelectorAll("[data-ticked]").forEach((place) => (place.textContent = ticked));
    form.querySelectorAll("[data-needs-ticked]").forEach((button) => (button.disabled = !ticked));
  });

  // Selects that lead somewhere at once (period, year); with a button for those without scripts.
  document.addEventListener("change", (event) => {
    const form = event.target.closest("form[data-auto-submit]");
    if (form) form.submit();
  });

  // A session that ended answers a fragment with a whole page: load that instead of swapping it in.
  document.addEventListener("htmx:beforeSwap", (event) => {
    const url = event.detail.xhr.responseURL;
    if (url && new URL(url).pathname === "/sign-in/") {
      event.detail.shouldSwap = false;
      location.reload();
    }
  });
})();
