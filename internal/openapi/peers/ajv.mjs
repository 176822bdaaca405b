// Compiles JSON Schemas with Ajv at its strictest and holds files against them. Writes what is wrong, one a line; nothing is good.
// usage: node ajv.mjs SCHEMA [FILE...] [-- SCHEMA [FILE...]]...
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);
const read = (path) => JSON.parse(readFileSync(path, "utf8"));
const groups = process.argv.slice(2).join("\n").split("\n--\n").map((group) => group.split("\n"));
for (const [path, ...files] of groups) {
  try {
    const schema = read(path);
    const Ajv = require(schema.$schema.includes("2020-12") ? "ajv/dist/2020" : "ajv");
    const ajv = new Ajv({ strict: true, allErrors: true, validateFormats: true });
    require("ajv-formats")(ajv);
    const validate = ajv.compile(schema);
    for (const file of files) if (!validate(read(file))) console.log(`${file}: ${ajv.errorsText(validate.errors, { separator: "; " }).slice(0, 2000)}`);
  } catch (e) {
    console.log(`${path}: ${e.message}`);
  }
}
