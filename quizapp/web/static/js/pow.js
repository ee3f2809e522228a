/* A worker: looks for the number whose SHA-256 with the salt is the challenge. Own SHA-256: crypto.subtle is missing without HTTPS. */
'use strict';
const K = [];
const H0 = [];
(function () {
  const frac = x => ((x - Math.floor(x)) * 0x100000000) | 0;
  for (let n = 2; K.length < 64; n += 1) {
    let prime = true;
    for (let d = 2; d * d <= n; d += 1) if (n % d === 0) { prime = false; break; }
    if (!prime) continue;
    if (H0.length < 8) H0.push(frac(Math.sqrt(n)));
    K.push(frac(Math.cbrt(n)));
  }
})();
function sha256(text) {
  const size = text.length, words = new Int32Array(((size + 8 >> 6) + 1) * 16), h = H0.slice(), w = new Int32Array(64);
  for (let i = 0; i < size; i += 1) words[i >> 2] |= text.charCodeAt(i) << 24 - i % 4 * 8;
  words[size >> 2] |= 0x80 << 24 - size % 4 * 8;
  words[words.length - 1] = size * 8;
  const rot = (x, n) => x >>> n | x << 32 - n;
  for (let start = 0; start < words.length; start += 16) {
    for (let i = 0; i < 64; i += 1) {
      if (i < 16) { w[i] = words[start + i]; continue; }
      const a = w[i - 15], b = w[i - 2];
      w[i] = w[i - 16] + (rot(a, 7) ^ rot(a, 18) ^ a >>> 3) + w[i - 7] + (rot(b, 17) ^ rot(b, 19) ^ b >>> 10) | 0;
    }
    let s = h.slice();
    for (let i = 0; i < 64; i += 1) {
      const e = s[4], a = s[0];
      const one = s[7] + (rot(e, 6) ^ rot(e, 11) ^ rot(e, 25)) + (e & s[5] ^ ~e & s[6]) + K[i] + w[i] | 0;
      const two = (rot(a, 2) ^ rot(a, 13) ^ rot(a, 22)) + (a & s[1] ^ a & s[2] ^ s[1] & s[2]) | 0;
      s = [one + two | 0, a, s[1], s[2], s[3] + one | 0, e, s[5], s[6]];
    }
    for (let i = 0; i < 8; i += 1) h[i] = h[i] + s[i] | 0;
  }
  return h.map(x => ('00000000' + (x >>> 0).toString(16)).slice(-8)).join('');
}
onmessage = e => {
  const c = e.data;
  for (let n = 0; n < c.maxnumber; n += 1) {
    if (sha256(c.salt + n) !== c.challenge) continue;
    postMessage(btoa(JSON.stringify({ algorithm: c.algorithm, challenge: c.challenge, number: n, salt: c.salt, signature: c.signature })));
    return;
  }
  postMessage('');
};
