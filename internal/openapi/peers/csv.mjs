// Reads tables with csv-parse and with Papa Parse, wants the same of both, and writes the rows of each as JSON.
// usage: node csv.mjs FILE...
import { readFileSync } from "node:fs";
import { parse } from "csv-parse/sync";
import Papa from "papaparse";

console.log(JSON.stringify(process.argv.slice(2).map((file) => {
  const text = readFileSync(file, "utf8");
  const rows = parse(text, { columns: true }); // it throws where a row has not the cells of the head
  const others = Papa.parse(text, { header: true, skipEmptyLines: true });
  if (others.errors.length > 0) throw new Error(file + ": " + JSON.stringify(others.errors));
  if (JSON.stringify(rows) !== JSON.stringify(others.data)) throw new Error(file + ": the two read different things");
  return rows;
})));
