// Opens the page of a run that goes on (agstest load --watch) in a real browser and says what is wrong with it, one line each, on standard
// output. node watch.mjs URL CHROMIUM OUT: the run is over some seconds after the pages were opened, when it is told to stop with the token
// in URL.
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { chromium } from "playwright-core";

const [address, executablePath, out] = process.argv.slice(2);
mkdirSync(out, { recursive: true });
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const wrong = [];
const base = address.replace(/#.*/, "");
const browser = await chromium.launch({
  executablePath,
  args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});

// open goes to the page and notes every request that leaves it and every message of the browser.
async function open(name, from, options) {
  const context = await browser.newContext({ reducedMotion: "reduce", ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(120000);
  page.on("request", (request) => {
    if (!request.url().startsWith(base)) wrong.push(`${name}: asks for ${request.url()}`);
  });
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") wrong.push(`${name}: ${message.text()}`);
  });
  page.on("pageerror", (error) => wrong.push(`${name}: ${error}`));
  await page.goto(from);
  return page;
}

async function look(page, name) {
  await page.evaluate(axe); // by the debugger, which no policy forbids
  const found = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
  for (const violation of found.violations) {
    wrong.push(`${name}: axe ${violation.id}: ${violation.help}: ${violation.nodes.slice(0, 3).map((node) => node.html.slice(0, 160)).join(" | ")}`);
  }
  const { width, most } = await page.evaluate(() => ({ width: document.documentElement.scrollWidth, most: innerWidth }));
  if (width > most) wrong.push(`${name}: is ${width} px wide on a screen of ${most} px`);
  await page.screenshot({ path: join(out, `${name.replaceAll(" ", "-")}.png`), fullPage: true });
}

const words = (page, selector) => page.locator(selector).first().textContent();

const light = await open("light", address, { viewport: { width: 1280, height: 900 }, colorScheme: "light" });
const dark = await open("dark", base, { viewport: { width: 1280, height: 900 }, colorScheme: "dark" });
const phone = await open("phone", base, { viewport: { width: 390, height: 844 }, colorScheme: "light" });
const plain = await open("plain", base, { javaScriptEnabled: false });
await light.waitForSelector("#w-operations");
const before = await words(light, ".tiles dd small");
await light.waitForFunction((was) => document.querySelector(".tiles dd small").textContent !== was, before); // it moves by itself
await light.waitForSelector("#w-charts");
for (const [name, page] of [["running light", light], ["running dark", dark], ["running phone", phone]]) await look(page, name);
if (light.url() !== base) wrong.push(`the token stays in the address: ${light.url()}`);
const first = await words(plain, ".tiles dd small");
await plain.waitForURL(/\?plain$/); // it asks for itself again
await plain.locator(".tiles dd small").first().filter({ hasNotText: first }).waitFor({ timeout: 120000 }).catch(() => wrong.push("without a script the page does not move"));

await dark.locator("#stop input").fill("wrong");
await dark.locator("#stop button").click();
await dark.waitForFunction(() => /Not stopped: that is not the token/.test(document.getElementById("said").textContent)).catch(() => wrong.push("a wrong token is not refused in words"));
wrong.splice(0, wrong.length, ...wrong.filter((line) => !/^dark: Failed to load resource: the server responded with a status of 403/.test(line)));
await light.locator("#stop button").click();
for (const [name, page] of [["over light", light], ["over dark", dark], ["over phone", phone]]) {
  await page.waitForFunction(() => /^The run is over: /.test(document.getElementById("said").textContent), null, { timeout: 120000 });
  await look(page, name);
}
const verdict = await words(light, "#verdict");
const kept = await words(light, ".tiles dd small");
await plain.waitForSelector("#verdict:has-text('Verdict')", { timeout: 120000 }).catch(() => wrong.push("without a script the verdict is not shown"));
if (await plain.locator("noscript").count()) wrong.push("without a script the page asks for itself again though the run is over");
if ((await words(light, ".tiles dd small")) !== kept) wrong.push("the page does not keep its last state");
console.log(`verdict ${verdict.trim()}`);
await browser.close();
for (const line of wrong) console.log(line);
process.exit(wrong.length ? 1 : 0);
