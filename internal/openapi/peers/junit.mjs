// Reads Cucumber messages, one JSON object a line, and writes the JUnit XML that @cucumber/junit-xml-formatter makes of them.
import { createInterface } from "node:readline";
import { JUnitXmlPrinter } from "@cucumber/junit-xml-formatter";

const printer = new JUnitXmlPrinter({}, (text) => process.stdout.write(text));
for await (const line of createInterface({ input: process.stdin })) printer.update(JSON.parse(line));
