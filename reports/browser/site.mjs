// Opens the pages of a site (agstest site) in a real browser and says what is wrong with them, one line each, on standard output.
// node site.mjs FOLDER CHROMIUM OUT
import { createServer } from "node:http";
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";

const [folder, executablePath, out] = process.argv.slice(2);
mkdirSync(out, { recursive: true });
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const wrong = [];
const first = (below, wanted) => below + "/" + readdirSync(join(folder, below)).filter((name) => wanted.test(name)).sort().at(-1);
const pages = [
  "index.html", "requirements.html", "releases.html", "calendar.html", "runs.html", "search.html", "environments/staging.html", "requirements/sost-04.html",
  first("runs", /-staging-conform-/), first("runs", /-staging-load-/), first("plans", /\.html$/),
];
const darkToo = ["index.html", "requirements.html", "environments/staging.html"]; // all pages have one style sheet
const browser = await chromium.launch({
  executablePath,
  args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});

async function open(context, base, path, name, policyErrors) {
  const page = await context.newPage();
  page.setDefaultTimeout(120000);
  const beside = new URL(path.startsWith("plans/") ? "report.css" : path.includes("/") ? "../site.css" : "site.css", base + path).href;
  page.on("request", (request) => {
    if (![base + path, beside, base + "favicon.ico"].includes(request.url())) wrong.push(`${name}: asks for ${request.url()}`);
  });
  page.on("console", (message) => {
    if (message.type() !== "error" && message.type() !== "warning") return;
    if (!policyErrors || !/Content Security Policy|sandboxed/.test(message.text())) wrong.push(`${name}: ${message.text()}`);
  });
  page.on("pageerror", (error) => wrong.push(`${name}: ${error}`));
  await page.goto(base + path);
  const paper = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  if (!["rgb(245, 246, 248)", "rgb(15, 21, 29)"].includes(paper)) wrong.push(`${name}: the style sheet is not in force (paper ${paper})`);
  return page;
}

async function check(path) {
  const base = pathToFileURL(folder).href + "/";
  for (const colorScheme of darkToo.includes(path) ? ["light", "dark"] : ["light"]) {
    const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, colorScheme, reducedMotion: "reduce" });
    const name = `${path} ${colorScheme}`;
    const page = await open(context, base, path, name, false);
    await page.evaluate(axe);
    const found = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"], preload: false }));
    for (const violation of found.violations) {
      wrong.push(`${name}: axe ${violation.id}: ${violation.help}: ${violation.nodes.slice(0, 3).map((node) => node.html.slice(0, 160)).join(" | ")}`);
    }
    const picture = join(out, `${path.replaceAll("/", "_").slice(0, 40)}-${colorScheme}`);
    const height = await page.evaluate(() => document.documentElement.scrollHeight);
    await page.screenshot({ path: `${picture}.png`, fullPage: true, clip: { x: 0, y: 0, width: 1280, height: Math.min(height, 3000) } });
    if (colorScheme === "dark") {
      await page.emulateMedia({ media: "print", colorScheme: "dark" });
      const ink = await page.evaluate(() => getComputedStyle(document.body).color);
      if (ink !== "rgb(22, 32, 46)") wrong.push(`${name}: printed with the ink ${ink} of the dark palette`);
    } else {
      const printed = (await page.pdf({ format: "A4", preferCSSPageSize: true })).toString("latin1").match(/\/Type\s*\/Page\b/g).length;
      if (printed > 2) wrong.push(`${path}: printed in short it is ${printed} sheets`);
      if (path === "requirements.html") {
        await page.locator("#paper").check();
        const whole = (await page.pdf({ format: "A4", preferCSSPageSize: true })).toString("latin1").match(/\/Type\s*\/Page\b/g).length;
        if (whole < printed) wrong.push(`${path}: with all details it is ${whole} sheets`);
        await page.locator("#paper").uncheck();
      }
      if (path === "search.html") await checkSearch(page);
      await page.setViewportSize({ width: 390, height: 844 });
      const width = await page.evaluate(() => document.documentElement.scrollWidth);
      if (width > 390) wrong.push(`${path}: is ${width} px wide on a phone of 390 px`);
      const broken = await page.evaluate(() => [...document.querySelectorAll(".day")].filter((day) => day.getClientRects().length > 1).length);
      if (broken) wrong.push(`${path}: ${broken} dates are broken at a hyphen on a phone`);
      if (path === "index.html" && !(await page.locator(".now .day").count())) wrong.push(`${path}: shows no dates`);
      await page.screenshot({ path: `${picture}-390.png`, clip: { x: 0, y: 0, width: 390, height: 1600 }, fullPage: true });
    }
    await context.close();
  }
}

async function checkSearch(page) {
  const shown = () => page.evaluate(() => [...document.querySelectorAll(".everything li")].filter((item) => item.offsetParent !== null).map((item) => item.textContent));
  const all = (await shown()).length;
  await page.locator("#find input").fill("Staging FAIL");
  const hit = await shown();
  if (hit.length === 0 || hit.length >= all || hit.some((text) => !/staging/i.test(text) || !/fail/i.test(text))) wrong.push(`search.html: ${hit.length} of ${all} are found: ${hit.slice(0, 3)}`);
  if ((await page.locator("#find output").textContent()) !== `${hit.length} of ${all}`) wrong.push("search.html: the count is not that of what is shown");
}

// Jenkins' default policy lets no script run: the search is a list, and all else is as it was.
async function underJenkins() {
  const server = createServer((request, response) => {
    const name = decodeURIComponent(new URL(request.url, "http://x").pathname).slice(1);
    response.setHeader("Content-Security-Policy", "sandbox; default-src 'none'; img-src 'self'; style-src 'self';");
    response.setHeader("Content-Type", name.endsWith(".css") ? "text/css" : "text/html; charset=utf-8");
    if (name === "favicon.ico") response.statusCode = 204;
    response.end(name === "favicon.ico" ? "" : readFileSync(join(folder, name)));
  });
  await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
  const base = `http://127.0.0.1:${server.address().port}/`;
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
  for (const path of pages) {
    const page = await open(context, base, path, `${path} under Jenkins' policy`, path === "search.html");
    if (path === "search.html" && (await page.locator("#find").isVisible())) wrong.push("search.html: a field that does nothing is shown");
    await page.close();
  }
  await context.close();
  server.close();
}

const work = [underJenkins, ...pages.map((path) => () => check(path))];
async function worker() {
  for (let next = work.shift(); next; next = work.shift()) await next();
}
try {
  await Promise.all([worker(), worker(), worker()]);
} finally {
  await browser.close();
}
for (const line of wrong) console.log(line);
process.exit(wrong.length ? 1 : 0);
