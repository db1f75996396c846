/** The longest demangled name that is kept, in bytes of UTF-8. */
export const DEMANGLED_MAX_BYTES = 4096;

/** The demangler can't parse the mangled name, which is then shown unchanged. */
export class NotMangled extends Error {}

/** The demangled name would be longer than `DEMANGLED_MAX_BYTES`. */
export class TooLong extends Error {}

/** Reads a mangled ASCII name from left to right; throws `NotMangled` if something is missing. */
export class SymbolReader {
  position = 0;
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  get atEnd(): boolean {
    return this.position >= this.text.length;
  }

  peek(): string {
    return this.text[this.position] ?? '';
  }

  next(): string {
    if (this.atEnd) throw new NotMangled();
    return this.text[this.position++]!;
  }

  eat(char: string): boolean {
    if (this.peek() !== char) return false;
    this.position++;
    return true;
  }

  take(length: number): string {
    const end = this.position + length;
    if (end > this.text.length) throw new NotMangled();
    const taken = this.text.slice(this.position, end);
    this.position = end;
    return taken;
  }

  /** A decimal number without leading zeros, as before each identifier. */
  decimal(): number {
    const first = this.next();
    if (!isDigit(first)) throw new NotMangled();
    let value = Number(first);
    while (value !== 0 && isDigit(this.peek())) {
      value = value * 10 + Number(this.next());
      if (value > this.text.length) throw new NotMangled();
    }
    return value;
  }
}

/** Collects a demangler's output; throws `TooLong` as soon as it is too long. */
export class BoundedText {
  #text = '';

  print(part: string): void {
    this.#text += part;
    if (this.#text.length > DEMANGLED_MAX_BYTES) throw new TooLong();
  }

  finish(): string {
    if (Buffer.byteLength(this.#text) > DEMANGLED_MAX_BYTES) throw new TooLong();
    return this.#text;
  }
}

export function isDigit(char: string): boolean {
  return char >= '0' && char <= '9' && char.length === 1;
}
