// Copy what the pages need from node_modules into the git-ignored static folder.  No bundler.
// A new icon: add its Lucide name to ICONS, then `make setup`; `{% icon "name" %}` refuses others.

import { copyFileSync, mkdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = join(dirname(fileURLToPath(import.meta.url)), "..");
const MODULES = join(ROOT, "node_modules");
const VENDOR = join(ROOT, "xuezheng", "kernel", "ui", "static", "vendor");

const FILES = {
  "htmx.org/dist/htmx.min.js": "htmx.min.js",
  "echarts/dist/echarts.min.js": "echarts.min.js",
  // For the tests only: they read it and hand it to the page.
  "axe-core/axe.min.js": "axe.min.js",
  "lucide-static/LICENSE": "icons/LICENSE",
};

const ICONS = `
  a-large-small arrow-down arrow-left arrow-right arrow-up badge-check ban bell bell-ring book-open
  briefcase building building-2 calculator calendar calendar-clock camera chart-line check
  chevron-down chevron-left chevron-right chevron-up circle-alert circle-check circle-help circle-x
  clipboard-check clipboard-list clock copy cpu database download ellipsis external-link eye eye-off
  file file-check file-clock file-search file-spreadsheet file-text flag funnel gavel git-branch
  graduation-cap hand-helping heart-handshake history hourglass house image image-plus inbox info
  key-round landmark languages layout-dashboard library-big link list list-checks list-filter lock
  lock-open log-out map map-pin megaphone menu merge message-square minus network paperclip pencil
  phone plus printer refresh-cw rows-3 scale school school-2 scroll-text search send settings
  shield-alert shield-check sigma sliders-horizontal split sprout star table target timer trash-2
  trending-down trending-up triangle-alert undo-2 upload user user-round users x zap
`.trim().split(/\s+/);

rmSync(VENDOR, { recursive: true, force: true });
mkdirSync(join(VENDOR, "icons"), { recursive: true });
for (const [source, target] of Object.entries(FILES)) {
  copyFileSync(join(MODULES, source), join(VENDOR, target));
}
for (const name of ICONS) {
  copyFileSync(join(MODULES, "lucide-static", "icons", `${name}.svg`), join(VENDOR, "icons", `${name}.svg`));
}
console.log(`${Object.keys(FILES).length} files, ${ICONS.length} icons`);
