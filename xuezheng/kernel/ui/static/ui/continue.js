// Sends the page's one form on at once: what another system answered must be written by a POST.
document.querySelector("form[data-continue]")?.requestSubmit();
