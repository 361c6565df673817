// One library's answers about HTTP messages.
//
// in:  {"library": name, "operation": "base" | "sign" | "verify", "cases": [case, ...]}
// out: [answer, ...], one JSON line, an answer for each case in its order
//
// message: {"method", "url", "target", "headers": [[name, value], ...]}
//          or {"status", "headers", "request": message}
// base:    {"message"} -> {"base"}: what the library hands to a verifier for the one signature
// sign:    {"message", "key": PKCS#8, "keyid", "components": ['"@method"', ...],
//          "label", "tag", "created", "expires", "nonce"} -> {"headers": [[name, value], ...]}
// verify:  {"message", "jwk"} -> {"verified": true | false}
//
// Bytes are base64url. Whatever the library throws is {"error": text}.

import { readFileSync } from 'node:fs';

const { library, operation, cases } = JSON.parse(readFileSync(0, 'utf8'));
const operations = await import(`./libraries/${library}.mjs`);
const answers = [];
for (const asked of cases) {
  try {
    answers.push(await operations[operation](asked));
  } catch (error) {
    answers.push({ error: String(error?.message ?? error) });
  }
}
console.log(JSON.stringify(answers));
