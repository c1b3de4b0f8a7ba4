// UTF-8, which the engine has no TextEncoder for. What it does have runs natively, so that ASCII costs little.

const BEYOND_ASCII = /[^\0-\x7f]/;
const STEP = 8192;

export function encode(text) {
  const string = String(text).toWellFormed();
  const binary = BEYOND_ASCII.test(string) ? unescape(encodeURIComponent(string)) : string;
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}

/** Text of bytes; what is no UTF-8 becomes U+FFFD, or with `fatal` is an error. */
export function decode(bytes, fatal = false) {
  let binary = "";
  for (let i = 0; i < bytes.length; i += STEP) binary += String.fromCharCode.apply(null, bytes.subarray(i, i + STEP));
  if (!BEYOND_ASCII.test(binary)) return binary;
  try {
    return decodeURIComponent(escape(binary));
  } catch {
    if (fatal) throw new TypeError("the bytes are no UTF-8");
    return repaired(binary);
  }
}

/** Sequence by sequence, with U+FFFD for each byte that belongs to none. */
function repaired(binary) {
  return binary.replace(/[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}|[\x80-\xff]/g, (part) => {
    try {
      return decodeURIComponent(escape(part));
    } catch {
      return "\ufffd".repeat(part.length);
    }
  });
}
