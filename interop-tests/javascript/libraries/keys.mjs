// Ed25519 keys as Node.js has them.

import { createPrivateKey, createPublicKey, sign, verify } from 'node:crypto';

export const bytes = (text) => Buffer.from(text, 'base64url');

export function signWith(pkcs8) {
  const key = createPrivateKey({ key: bytes(pkcs8), format: 'der', type: 'pkcs8' });
  return (data) => sign(null, data, key);
}

export function verifyWith(jwk) {
  const key = createPublicKey({ key: jwk, format: 'jwk' });
  return (data, signature) => verify(null, data, key, signature);
}
