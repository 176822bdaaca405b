// Parses PowerShell from standard input with the grammar of tree-sitter and writes what it holds as JSON: the functions,
// the commands, and the places that are no PowerShell.
import { readFileSync } from "node:fs";
import { Language, Parser } from "web-tree-sitter";

await Parser.init();
const parser = new Parser();
parser.setLanguage(await Language.load("node_modules/tree-sitter-powershell/tree-sitter-powershell.wasm"));
const tree = parser.parse(readFileSync(0, "utf8"));
const texts = (kind) => [...new Set(tree.rootNode.descendantsOfType(kind).map((node) => node.text))];
const wrong = [];
(function look(node) {
  if (node.isError || node.isMissing) wrong.push(`${node.startPosition.row + 1}: ${node.text.slice(0, 80)}`);
  else if (node.hasError) node.children.forEach(look);
})(tree.rootNode);
console.log(JSON.stringify({ functions: texts("function_name"), commands: texts("command_name"), wrong }));
