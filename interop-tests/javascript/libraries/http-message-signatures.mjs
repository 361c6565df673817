import { httpbis } from 'http-message-signatures';
import { signWith, verifyWith } from './keys.mjs';

// The lines of a field stand in a list under its name, in lower case as Node.js gives it.
function messageOf({ method, url, status, headers, request }) {
  const fields = {};
  for (const [given, value] of headers) {
    const name = given.toLowerCase();
    fields[name] = [...(fields[name] ?? []), value];
  }
  const message = status === undefined ? { method, url, headers: fields } : { status, headers: fields };
  return request ? [message, messageOf(request)[0]] : [message];
}

async function verifiedBy(message, verify) {
  const key = { algs: ['ed25519'], verify: async (data, signature) => verify(data, signature) };
  const config = { keyLookup: async () => key, all: true };
  return httpbis.verifyMessage(config, ...messageOf(message));
}

export async function base({ message }) {
  let seen;
  await verifiedBy(message, (data) => {
    seen = data.toString();
    return true;
  });
  return seen === undefined ? { error: 'no signature was looked at' } : { base: seen };
}

export async function verify({ message, jwk }) {
  return { verified: (await verifiedBy(message, verifyWith(jwk))) === true };
}

export async function sign({ message, key, keyid, components, label, tag, created, expires, nonce }) {
  const sign = signWith(key);
  const config = {
    key: { id: keyid, alg: 'ed25519', sign: async (data) => sign(data) },
    name: label,
    fields: components,
    params: ['created', 'expires', 'keyid', 'nonce', 'tag'],
    paramValues: { created: new Date(created * 1000), expires: new Date(expires * 1000), keyid, nonce, tag },
  };
  const { headers } = await httpbis.signMessage(config, ...messageOf(message));
  const made = Object.entries(headers).filter(([name]) => /^signature(-input)?$/i.test(name));
  return { headers: made };
}
