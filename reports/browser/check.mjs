// Opens the pages of a folder in a real browser and says what is wrong with them, one line each, on standard output.
// node check.mjs FOLDER CHROMIUM OUT: FOLDER holds pages (self-contained), hostile (the same, with hostile data), jenkins (with report.css)
// and paper (pages that are printed).
import { createServer } from "node:http";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";

const [folder, executablePath, out] = process.argv.slice(2);
mkdirSync(out, { recursive: true });
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const wrong = [];
const done = { pages: 0, axe: 0, screenshots: 0, sheets: [] };
const htmlIn = (name) => (existsSync(join(folder, name)) ? readdirSync(join(folder, name)) : []).filter((file) => file.endsWith(".html")).sort();

const browser = await chromium.launch({
  executablePath,
  args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});

// open goes to an address and notes every request, message and dialog that a report must not cause.
async function open(context, address, name, allowed, policyErrors = 0) {
  const page = await context.newPage();
  page.setDefaultTimeout(120000);
  let refused = 0;
  page.on("request", (request) => {
    if (!allowed(request.url())) wrong.push(`${name}: asks for ${request.url()}`);
  });
  page.on("console", (message) => {
    if (message.type() !== "error" && message.type() !== "warning") return;
    if (policyErrors && /Content Security Policy|sandboxed/.test(message.text())) refused++;
    else wrong.push(`${name}: ${message.text()}`);
  });
  page.on("pageerror", (error) => wrong.push(`${name}: ${error}`));
  page.on("dialog", async (dialog) => {
    wrong.push(`${name}: a dialog opens: ${dialog.message()}`);
    await dialog.dismiss();
  });
  await page.goto(address);
  return page;
}

async function withAxe(page, name) {
  await page.evaluate(axe);
  const found = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
  done.axe++;
  for (const violation of found.violations) {
    wrong.push(`${name}: axe ${violation.id}: ${violation.help}: ${violation.nodes.slice(0, 3).map((node) => node.html.slice(0, 160)).join(" | ")}`);
  }
}

async function screenshot(page, name) {
  const { width, height } = await page.evaluate(() => ({ width: innerWidth, height: document.documentElement.scrollHeight }));
  await page.screenshot({ path: join(out, `${name}.png`), fullPage: true, clip: { x: 0, y: 0, width, height: Math.min(height, 5000) } });
  done.screenshots++;
}

// In the open air: light and dark, a phone, paper from dark.
async function checkPage(file) {
  const address = pathToFileURL(join(folder, "pages", file)).href;
  const title = file.replace(/\.html$/, "");
  const only = (url) => url === address;
  for (const colorScheme of ["light", "dark"]) {
    const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, colorScheme, reducedMotion: "reduce" });
    const name = `${title} ${colorScheme}`;
    const page = await open(context, address, name, only);
    done.pages++;
    await withAxe(page, name);
    await screenshot(page, `${title}-1280-${colorScheme}`);
    const cut = await page.evaluate(() => [...document.querySelectorAll("thead th.env")].filter((head) => head.scrollHeight > head.clientHeight + 1 || head.scrollWidth > head.clientWidth + 1).map((head) => head.textContent));
    if (cut.length) wrong.push(`${name}: names of environments are cut: ${cut.join(", ")}`);
    if (colorScheme === "dark") {
      if (/^(conformance|load|compare-runs)$/.test(title)) writeFileSync(join(out, `${title}.pdf`), await page.pdf({ preferCSSPageSize: true }));
      await page.emulateMedia({ media: "print", colorScheme: "dark" });
      const ink = await page.evaluate(() => getComputedStyle(document.body).color);
      if (ink !== "rgb(22, 32, 46)") wrong.push(`${name}: printed with the ink ${ink} of the dark palette`);
    } else {
      await checkSearch(page, name);
      await checkReadout(page, name);
      await page.setViewportSize({ width: 390, height: 844 });
      const width = await page.evaluate(() => document.documentElement.scrollWidth);
      if (width > 390) wrong.push(`${title}: is ${width} px wide on a phone of 390 px`);
      const hidden = await page.evaluate(() => [...document.querySelectorAll('[aria-label^="Table of requirements"] tr')].filter((row) => row.querySelector("td.cell")?.getBoundingClientRect().right > 390).length);
      if (hidden) wrong.push(`${title}: ${hidden} requirements show no verdict on a phone until they are scrolled`);
      const small = await page.evaluate(() => [...document.querySelectorAll(".chart svg")].filter((svg) => svg.getBoundingClientRect().width < 700).length);
      if (small) wrong.push(`${title}: ${small} charts shrink on a phone`);
      await screenshot(page, `${title}-390-light`);
    }
    await context.close();
  }
}

// On paper a page is its first two sheets: verdict, causes, limits, charts. Who ticks the box has it whole.
async function checkPaper(file) {
  const address = pathToFileURL(join(folder, "paper", file)).href;
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, reducedMotion: "reduce" });
  const page = await open(context, address, `${file} on paper`, (url) => url === address);
  done.pages++;
  const sheets = async () => (await page.pdf({ preferCSSPageSize: true })).toString("latin1").match(/\/Type\s*\/Page\b/g).length;
  const short = await sheets();
  done.sheets.push(`${file.replace(/\.html$/, "")} ${short}`);
  if (short > 2) wrong.push(`${file}: ${short} sheets on paper, at most 2 are wanted`);
  await page.emulateMedia({ media: "print" });
  const lost = await page.evaluate(() => ["#verdict", "#first", ".paper-note"].filter((part) => !document.querySelector(part)?.checkVisibility()));
  if (lost.length) wrong.push(`${file}: paper lacks ${lost}`);
  // A clamped text shows a slice of its next line in a padding below it, and an id reads badly in two lines.
  const sliced = await page.evaluate(() => [...document.querySelectorAll(".sentence p")].filter((text) => parseFloat(getComputedStyle(text).paddingBottom) > 0).length);
  if (sliced) wrong.push(`${file}: the verdict on paper shows a slice of its next line`);
  const broken = await page.evaluate(() => [...document.querySelectorAll(".id")].filter((id) => id.getClientRects().length > 1).map((id) => id.textContent));
  if (broken.length) wrong.push(`${file}: ids are broken at their hyphens on paper: ${broken.slice(0, 5)}`);
  await page.emulateMedia({ media: "screen" });
  await page.locator("#paper").check();
  const hidden = async () => page.evaluate(() => [...document.querySelectorAll(".detail")].filter((part) => !part.checkVisibility() && !part.closest("details")).length);
  await page.emulateMedia({ media: "print" });
  if (await hidden()) wrong.push(`${file}: ${await hidden()} details are not printed though they are asked for`);
  await page.emulateMedia({ media: "screen" });
  await context.close();
}

// The search hides rows, and the filter by verdict works without script.
async function checkSearch(page, name) {
  if (!(await page.locator("#requirements").count())) return;
  const rows = page.locator("#requirements tbody tr");
  const all = await rows.count();
  await page.locator('[data-search="requirements"] input').fill("discovery");
  const hit = await page.locator("#requirements tbody tr:not(.gone)").count();
  if (hit === 0 || hit >= all) wrong.push(`${name}: the search shows ${hit} of ${all} rows`);
  await page.locator('[data-search="requirements"] input').fill("");
  if (!(await page.locator("#f-fail").count())) return;
  await page.locator("#f-fail").check({ force: true });
  const shown = await page.evaluate(() => [...document.querySelectorAll("#requirements tbody tr")].filter((row) => row.offsetParent !== null).map((row) => row.className));
  if (shown.length === 0 || shown.some((verdict) => verdict !== "v-fail")) wrong.push(`${name}: the filter shows ${shown.length} rows, not the failed ones alone`);
  await page.locator("#f-all").check({ force: true });
}

// The pointer over a chart shows the figures at its place.
async function checkReadout(page, name) {
  const strip = page.locator(".tips > g").nth(3);
  if (!(await strip.count())) return;
  await strip.locator("path").hover({ force: true });
  if (!(await strip.locator("text").isVisible())) wrong.push(`${name}: a chart shows no figures under the pointer`);
}

// Nothing in the data runs, loads or leaves its element.
async function checkHostile(file) {
  const address = pathToFileURL(join(folder, "hostile", file)).href;
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
  const page = await open(context, address, `hostile ${file}`, (url) => url === address);
  done.pages++;
  const found = await page.evaluate(() => ({
    ran: globalThis.pwned,
    scripts: document.scripts.length,
    images: document.images.length,
    frames: document.querySelectorAll("iframe,object,embed,base,form").length,
    handlers: [...document.querySelectorAll("*")].flatMap((e) => [...e.attributes]).filter((a) => /^on|^style$/i.test(a.name)).length,
    links: [...document.querySelectorAll("a[href]")].filter((a) => !/^(#|https:\/\/(docs\.nagra\.vision|www\.rfc-editor\.org)\/)/.test(a.getAttribute("href"))).length,
    shown: document.body.textContent.includes("<script>pwned"),
  }));
  const wanted = { ran: undefined, scripts: 1, images: 0, frames: 0, handlers: 0, links: 0, shown: true };
  for (const [what, value] of Object.entries(wanted)) {
    if (found[what] !== value) wrong.push(`hostile ${file}: ${what} is ${found[what]}, wanted ${value}`);
  }
  await context.close();
}

// Under Jenkins' default policy: with report.css beside it all is as it should be, without it the charts still show.
async function checkJenkins() {
  const server = createServer((request, response) => {
    const name = decodeURIComponent(new URL(request.url, "http://x").pathname).slice(1);
    response.setHeader("Content-Security-Policy", "sandbox; default-src 'none'; img-src 'self'; style-src 'self';");
    response.setHeader("Content-Type", name.endsWith(".css") ? "text/css" : "text/html; charset=utf-8");
    if (name === "favicon.ico") response.statusCode = 204;
    try {
      response.end(name === "favicon.ico" ? "" : readFileSync(join(folder, name)));
    } catch {
      response.statusCode = 404;
      response.end();
    }
  });
  await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
  const base = `http://127.0.0.1:${server.address().port}`;
  for (const file of htmlIn("jenkins")) {
    for (const kind of ["jenkins", "pages"]) {
      const beside = kind === "jenkins";
      const name = `${file} under Jenkins' policy, ${beside ? "with report.css" : "self-contained"}`;
      const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, colorScheme: "light" });
      const allowed = [`${base}/${kind}/${file}`, `${base}/jenkins/report.css`, `${base}/favicon.ico`];
      const page = await open(context, `${base}/${kind}/${file}`, name, (url) => allowed.includes(url), beside ? 0 : 1);
      done.pages++;
      const found = await page.evaluate(() => ({
        paper: getComputedStyle(document.body).backgroundColor,
        lines: [...document.querySelectorAll(".chart path.line")].map((path) => ({ ink: getComputedStyle(path).stroke, width: path.getBoundingClientRect().width })),
        charts: document.querySelectorAll(".chart svg").length,
        overlaid: [...document.querySelectorAll(".tips text")].some((text) => text.getBoundingClientRect().width > 0),
      }));
      if (beside && found.paper !== "rgb(245, 246, 248)") wrong.push(`${name}: the style sheet is not in force (paper ${found.paper})`);
      if (file !== "conformance.html" && found.charts === 0) wrong.push(`${name}: no chart`);
      if (found.lines.some((line) => line.ink === "none" || line.width === 0)) wrong.push(`${name}: a line of a chart is not drawn`);
      if (found.overlaid) wrong.push(`${name}: words for the pointer lie over the chart`);
      await screenshot(page, `${file.replace(/\.html$/, "")}-jenkins-${beside ? "folder" : "bare"}`);
      await context.close();
    }
  }
  // The same folder opened from a disk.
  for (const file of htmlIn("jenkins")) {
    const context = await browser.newContext({ colorScheme: "light" });
    const inFolder = pathToFileURL(join(folder, "jenkins")).href;
    const page = await open(context, `${inFolder}/${file}`, `${file} from a folder on disk`, (url) => url.startsWith(inFolder));
    const paper = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    if (paper !== "rgb(245, 246, 248)") wrong.push(`${file} from a folder on disk: the style sheet is not in force`);
    await context.close();
  }
  server.close();
}

const work = [checkJenkins, ...htmlIn("pages").map((file) => () => checkPage(file)), ...htmlIn("hostile").map((file) => () => checkHostile(file)), ...htmlIn("paper").map((file) => () => checkPaper(file))];
async function worker() {
  for (let next = work.shift(); next; next = work.shift()) await next();
}
try {
  await Promise.all([worker(), worker(), worker()]);
} finally {
  await browser.close();
}
for (const line of wrong) console.log(line);
console.error(`${done.pages} pages opened, ${done.axe} runs of axe, ${done.screenshots} screenshots; sheets: ${done.sheets.join(", ")}`);
process.exit(wrong.length ? 1 : 0);
