// Lets readers of others read the folders of runs. Each line of stdin asks for one, {reader, out, folders}, and is answered with one of stdout:
// {passed, failed, skipped, texts} as the reader shows them, or {error}. So a reader is loaded once for all that it reads.
import { execFileSync } from "node:child_process";
import { copyFileSync, createReadStream, mkdirSync, openSync, readdirSync, readFileSync, statSync } from "node:fs";
import { createInterface } from "node:readline";
import { createRequire } from "node:module";
import { delimiter, join } from "node:path";
import { PassThrough } from "node:stream";

let reader, out, folders;
const log = console.log;
console.log = console.error; // readers greet people on stdout

// allure generates a report of files and counts the results of its tests by status.
function allure(pick) {
  const results = join(out, "results");
  mkdirSync(results, { recursive: true });
  folders.forEach((folder, i) => {
    const from = join(folder, pick);
    if (statSync(from).isDirectory()) for (const name of readdirSync(from)) copyFileSync(join(from, name), join(results, name));
    else copyFileSync(from, join(results, `${i}-${pick}`));
  });
  execFileSync(process.execPath, ["node_modules/allure/cli.js", "generate", "--output", join(out, "report"), results], { stdio: ["ignore", 2, 2] });
  const shown = { passed: 0, failed: 0, skipped: 0, texts: [] };
  for (const name of readdirSync(join(out, "report"), { recursive: true })) {
    if (!/test-results[^/]*\/[^/]*\.json$/.test(name)) continue;
    const test = JSON.parse(readFileSync(join(out, "report", name), "utf8"));
    if (test.isRetry ?? test.hidden) continue;
    shown[{ passed: "passed", skipped: "skipped" }[test.status] ?? "failed"]++;
    if (test.status !== "passed") shown.texts.push(test.name + " | " + (test.error?.message ?? "") + " | " + (test.error?.trace ?? ""));
  }
  return shown;
}

// allure2 does so with Allure 2, which runs on Java. What it says of the environment is the last of its texts.
function allure2(pick) {
  const inputs = folders.map((folder, i) => {
    const from = join(folder, pick);
    if (statSync(from).isDirectory()) return from;
    const results = join(out, `results-${i}`);
    mkdirSync(results);
    copyFileSync(from, join(results, pick));
    return results;
  });
  const dist = "node_modules/allure-commandline/dist";
  const java = ["-XX:TieredStopAtLevel=1", "-cp", [join(dist, "lib", "*"), join(dist, "lib", "config")].join(delimiter), "io.qameta.allure.CommandLine"];
  execFileSync("java", [...java, "generate", "--output", join(out, "report"), ...inputs], { stdio: ["ignore", 2, 2] });
  const read = (...name) => JSON.parse(readFileSync(join(out, "report", ...name), "utf8"));
  const { passed, failed, broken, skipped, unknown, total } = read("widgets", "summary.json").statistic;
  if (passed + failed + broken + skipped !== total || unknown) throw new Error(`${unknown} of ${total} are unknown`);
  const texts = readdirSync(join(out, "report", "data", "test-cases")).map((name) => read("data", "test-cases", name)).filter((test) => !test.hidden)
    .map((test) => [test.name, test.statusMessage ?? "", test.statusTrace ?? ""].join(" | "));
  return { passed, failed: failed + broken, skipped, texts: [...texts, ...read("widgets", "environment.json").map((fact) => `${fact.name}=${fact.values}`)] };
}

// testResults reads with the parser of testbeats and others.
function testResults(type, file) {
  const result = createRequire(import.meta.url)("test-results-parser").parse({ type, files: [join(folders[0], file)] });
  const tests = result.suites.flatMap((suite) => suite.cases);
  return { passed: result.passed, failed: result.failed + result.errors, skipped: result.skipped, texts: tests.map((test) => test.name + " | " + test.failure + " | " + test.steps.filter((step) => step.status === "FAIL").map((step) => step.name)) };
}

async function messages(folder, update) {
  for await (const line of createInterface({ input: createReadStream(join(folder, "messages.ndjson")) })) update(JSON.parse(line));
}

const readers = {
  "allure-cucumber": () => allure("cucumber.json"),
  "allure-junit": () => allure("junit.xml"),
  "allure-results": () => allure("allure-results"),
  "allure2-junit": () => allure2("junit.xml"),
  "allure2-results": () => allure2("allure-results"),
  ctrf: () => {
    const report = JSON.parse(readFileSync(join(folders[0], "ctrf.json"), "utf8"));
    const verdict = createRequire(import.meta.url)("ctrf").validate(report);
    if (!verdict.valid) throw new Error(JSON.stringify(verdict.errors));
    const { passed, failed, skipped } = report.results.summary;
    return { passed, failed, skipped, texts: report.results.tests.map((test) => test.name + " | " + (test.message ?? "") + " | " + (test.trace ?? "")) };
  },
  "cucumber-html-reporter": () => {
    const page = join(out, "page.html");
    createRequire(import.meta.url)("cucumber-html-reporter").generate({ theme: "bootstrap", jsonFile: join(folders[0], "cucumber.json"), output: page, launchReport: false, name: "x" });
    const text = readFileSync(page, "utf8");
    const numbers = text.slice(text.indexOf('"title": "Scenarios"'));
    const shown = { texts: [text] };
    for (const status of ["passed", "failed", "skipped"]) shown[status] = Number(numbers.match(new RegExp(`"${status}": (\\d+)`))[1]);
    return shown;
  },
  "cucumber-json-converter": async () => {
    const { convert } = await import("@cucumber/cucumber-json-converter"); // it throws where the file is of no schema that it has
    const shown = { passed: 0, failed: 0, skipped: 0, texts: [] };
    for (const scenario of convert(JSON.parse(readFileSync(join(folders[0], "cucumber.json"), "utf8"))).features.flatMap((feature) => feature.elements)) {
      const of = (status) => scenario.steps.find((step) => step.result.status === status);
      shown[of("failed") ? "failed" : of("skipped") ? "skipped" : "passed"]++;
      shown.texts.push(scenario.name + " | " + of("failed")?.name + " | " + of("failed")?.result.error_message);
    }
    return shown;
  },
  "test-results-parser-cucumber": () => testResults("cucumber", "cucumber.json"),
  "test-results-parser-junit": () => testResults("junit", "junit.xml"),
  junit2json: async () => {
    const { parse } = await import("junit2json");
    const shown = { passed: 0, failed: 0, skipped: 0, texts: [] };
    for (const test of (await parse(readFileSync(join(folders[0], "junit.xml"), "utf8"))).testsuite.flatMap((suite) => suite.testcase)) {
      const red = test.failure?.[0] ?? test.error?.[0];
      shown[red ? "failed" : test.skipped ? "skipped" : "passed"]++;
      shown.texts.push([test.name, red?.message, test.skipped?.[0]?.message].join(" | "));
    }
    return shown;
  },
  "multiple-cucumber-html-reporter": async () => {
    const from = join(out, "in");
    mkdirSync(from);
    folders.forEach((folder, i) => copyFileSync(join(folder, "cucumber.json"), join(from, `${i}.json`)));
    const { default: reporter } = await import("multiple-cucumber-html-reporter");
    await reporter.generate({ jsonDir: from, reportPath: join(out, "page"), saveCollectedJSON: true, openReportInBrowser: false, disableLog: true });
    const { passed, failed, skipped } = JSON.parse(readFileSync(join(out, "page", "enriched-output.json"), "utf8")).scenarios;
    const pages = readdirSync(join(out, "page", "features")).map((name) => readFileSync(join(out, "page", "features", name), "utf8"));
    return { passed, failed, skipped, texts: pages };
  },
  "junit-to-ctrf": async () => {
    const { convertJUnitToCTRFReport } = await import("junit-to-ctrf");
    const { summary, tests } = (await convertJUnitToCTRFReport(join(folders[0], "junit.xml"))).results;
    return { passed: summary.passed, failed: summary.failed, skipped: summary.skipped, texts: tests.map((test) => test.name + " | " + (test.message ?? "") + " | " + (test.trace ?? "")) };
  },
  "xunit-viewer": () => {
    const page = join(out, "page.html");
    const said = openSync(join(out, "said"), "w"); // a file: it ends before a pipe has taken all
    execFileSync(process.execPath, ["node_modules/xunit-viewer/bin/xunit-viewer.js", "-r", join(folders[0], "junit.xml"), "-o", page, "-c"], { stdio: ["ignore", said, 2] });
    const text = readFileSync(join(out, "said"), "utf8");
    const line = text.replace(/\x1b\[[0-9;]*m/g, "").split("\n").filter((line) => /^\d+ [a-z]+(, \d+ [a-z]+)*$/.test(line)).at(-1);
    const count = (name) => Number((line.match(new RegExp(`(\\d+) ${name}`)) ?? [])[1] ?? 0);
    return { passed: count("passed"), failed: count("failure") + count("error"), skipped: count("skipped"), texts: [text] };
  },
  "pretty-formatter": async () => {
    const { SummaryPrinter } = await import("@cucumber/pretty-formatter");
    let text = "";
    const stream = new PassThrough();
    stream.on("data", (chunk) => (text += chunk));
    const printer = new SummaryPrinter({ stream });
    await messages(folders[0], (envelope) => printer.update(envelope));
    await new Promise(setImmediate);
    text = text.replace(/\x1b\[[0-9;]*m/g, "");
    const line = text.match(/^(\d+) scenarios? \((.*)\)$/m) ?? ["", "0", ""];
    const shown = { texts: [text] };
    for (const status of ["passed", "failed", "skipped"]) shown[status] = Number((line[2].match(new RegExp(`(\\d+) ${status}`)) ?? [])[1] ?? 0);
    return shown;
  },
  "junit-xml-formatter": async () => {
    const { JUnitXmlPrinter } = await import("@cucumber/junit-xml-formatter");
    let text = "";
    const printer = new JUnitXmlPrinter({}, (chunk) => (text += chunk));
    await messages(folders[0], (envelope) => printer.update(envelope));
    const count = (name) => Number(text.match(new RegExp(`<testsuite [^>]*\\b${name}="(\\d+)"`))[1]);
    const failed = count("failures") + count("errors");
    return { passed: count("tests") - failed - count("skipped"), failed, skipped: count("skipped"), texts: [text] };
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  ({ reader, out, folders } = JSON.parse(line));
  try {
    log(JSON.stringify(await readers[reader]()));
  } catch (error) {
    log(JSON.stringify({ error: String(error.stack ?? error) }));
  }
}
