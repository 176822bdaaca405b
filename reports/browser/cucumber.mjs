// Renders messages.ndjson of a folder with @cucumber/html-formatter, opens the page and prints how many scenarios it shows as what.
import { createReadStream, createWriteStream } from "node:fs";
import { createInterface } from "node:readline";
import { once } from "node:events";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { CucumberHtmlStream } from "@cucumber/html-formatter";
import { chromium } from "playwright-core";

const [folder, executablePath] = process.argv.slice(2);
const path = join(folder, "cucumber.html");
const stream = new CucumberHtmlStream();
const file = createWriteStream(path);
stream.pipe(file);
for await (const line of createInterface({ input: createReadStream(join(folder, "messages.ndjson")) })) stream.write(JSON.parse(line));
stream.end();
await once(file, "finish");

const browser = await chromium.launch({ executablePath, args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"] });
try {
  const page = await browser.newPage();
  page.on("pageerror", (error) => {
    console.error(String(error));
    process.exitCode = 1;
  });
  await page.goto(pathToFileURL(path).href);
  await page.waitForSelector("text=/failed/i");
  const text = await page.innerText("body");
  const shown = {};
  for (const status of ["failed", "skipped", "passed"]) shown[status] = Number((text.match(new RegExp(`^${status}\\s(\\d+)$`, "im")) ?? [])[1] ?? 0);
  console.log(JSON.stringify(shown));
} finally {
  await browser.close();
}
