// Which addresses of email are valid: those of RFC 5321 and RFC 6531 with a domain of two labels or more.

const ATOM = "[a-z0-9!#$%&'*+/=?^_`{|}~\\-\\u0080-\\u{10ffff}]+";
const QUOTED = '"(?:[\\x20!#-\\[\\]-~\\u0080-\\u{10ffff}]|\\\\[\\x20-~])*"';
const LABEL = "[\\p{L}\\p{N}](?:[\\p{L}\\p{N}\\-]{0,61}[\\p{L}\\p{N}])?";
const ADDRESS = new RegExp(`^(${ATOM}(?:\\.${ATOM})*|${QUOTED})@${LABEL}(?:\\.${LABEL})+$`, "u");

const LONGEST = 254;
const LONGEST_LOCAL_PART = 64;

export function isAddress(email: string): boolean {
  // In UTF-8 no character has more than three bytes for each unit of a string.
  if (email.length * 3 > LONGEST && Buffer.byteLength(email) > LONGEST) {
    return false;
  }
  const localPart = ADDRESS.exec(email)?.[1];
  return localPart !== undefined && Buffer.byteLength(localPart) <= LONGEST_LOCAL_PART;
}
