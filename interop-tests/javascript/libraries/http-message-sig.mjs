import { component, createSignature, verifySignature } from 'http-message-sig';
import { parseItem } from 'structured-headers';
import { signWith, verifyWith } from './keys.mjs';

function messageOf({ method, url, target, status, headers, request }) {
  const fields = headers.map(([name, value]) => ({ name, value }));
  if (status === undefined) {
    return { kind: 'request', method, targetUri: url, requestTarget: target, fields };
  }
  return { kind: 'response', status, fields, request: request && messageOf(request) };
}

// Says why, should the library refuse the message before it comes to the key.
async function verifiedBy(message, verify) {
  const policy = { algorithms: ['ed25519'], requiredComponents: [], requiredParameters: [] };
  const resolveVerifier = () => ({ algorithm: 'ed25519', verify });
  await verifySignature(messageOf(message), { policy, resolveVerifier });
}

export async function base({ message }) {
  let seen;
  await verifiedBy(message, (data) => {
    seen = Buffer.from(data).toString();
    return true;
  });
  return { base: seen };
}

export async function verify({ message, jwk }) {
  await verifiedBy(message, verifyWith(jwk));
  return { verified: true };
}

export async function sign({ message, key, keyid, components, label, tag, created, expires, nonce }) {
  const sign = signWith(key);
  const fields = await createSignature(messageOf(message), {
    label,
    components: components.map((text) => {
      const [name, params] = parseItem(text);
      return component(name, Object.fromEntries(params));
    }),
    parameters: { created, expires, keyid, nonce, tag },
    signer: { algorithm: 'ed25519', sign },
  });
  return { headers: [['signature-input', fields.signatureInput], ['signature', fields.signature]] };
}
