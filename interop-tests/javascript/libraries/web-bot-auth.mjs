// Knows Signature-Agent only as the bare string of the first drafts.

import { signatureHeaders, verify as verifyMessage } from 'web-bot-auth';
import { signWith, verifyWith } from './keys.mjs';

// A field with several lines is what a server in front makes of it.
function messageOf({ method, url, headers }) {
  const fields = {};
  for (const [name, value] of headers) {
    fields[name] = fields[name] === undefined ? value : `${fields[name]}, ${value}`;
  }
  return { method, url, headers: fields };
}

async function verifiedBy(message, verify) {
  return verifyMessage(messageOf(message), (data, signature) => verify(Buffer.from(data), signature));
}

export async function base({ message }) {
  let seen;
  await verifiedBy(message, (data) => {
    seen = data.toString();
  });
  return { base: seen };
}

export async function verify({ message, jwk }) {
  return { verified: await verifiedBy(message, verifyWith(jwk)) };
}

export async function sign({ message, key, keyid, created, expires, nonce }) {
  const sign = signWith(key);
  const signer = { alg: 'ed25519', keyid, sign: async (data) => sign(Buffer.from(data)) };
  const params = { created: new Date(created * 1000), expires: new Date(expires * 1000), nonce };
  const made = await signatureHeaders(messageOf(message), signer, params);
  return { headers: [['signature-input', made['Signature-Input']], ['signature', made['Signature']]] };
}
