import { decodePunycode } from './punycode.ts';
import { BoundedText, isDigit, NotMangled, SymbolReader, TooLong } from './symbol-text.ts';

/** The deepest nesting of paths, types and constants; c++filt has the same limit. */
const MAX_DEPTH = 1024;
/** Back references can loop for a very long time without printing anything, so the steps are limited like the text. */
const MAX_STEPS = 20_000;
/** A double holds this many base-62 digits exactly. */
const BASE62_SAFE_DIGITS = 8;

const BASIC_TYPES: Record<string, string> = {
  a: 'i8',
  b: 'bool',
  c: 'char',
  d: 'f64',
  e: 'str',
  f: 'f32',
  h: 'u8',
  i: 'isize',
  j: 'usize',
  l: 'i32',
  m: 'u32',
  n: 'i128',
  o: 'u128',
  p: '_',
  s: 'i16',
  t: 'u16',
  u: '()',
  v: '...',
  x: 'i64',
  y: 'u64',
  z: '!',
};
const UNSIGNED = 'htmyoj';
const SIGNED = 'aslxni';

/** Demangles what follows `_R`: a path, then perhaps the instantiating crate and a suffix; both are dropped. */
export function demangleRustV0(symbol: string): string {
  const [path = ''] = symbol.split('.', 1);
  if (!/^[A-Z]\w*$/.test(path)) throw new NotMangled();
  const demangler = new V0Demangler(path);
  demangler.symbol();
  return demangler.text;
}

interface Identifier {
  text: string;
  empty: boolean;
}

class V0Demangler {
  readonly #in: SymbolReader;
  readonly #out = new BoundedText();
  #silent = false;
  #depth = 0;
  #steps = 0;
  #boundLifetimes = 0n;

  constructor(symbol: string) {
    this.#in = new SymbolReader(symbol);
  }

  get text(): string {
    return this.#out.finish();
  }

  symbol(): void {
    this.#path(true);
    if (!this.#in.atEnd) this.#silently(() => this.#path(false));
    if (!this.#in.atEnd) throw new NotMangled();
  }

  /** In the value namespace generic arguments follow `::`, as in `size_of::<u8>`. */
  #path(inValue: boolean): void {
    this.#nested(() => {
      const tag = this.#in.next();
      if (tag === 'C') this.#crate();
      else if (tag === 'N') this.#item(inValue);
      else if (tag === 'M' || tag === 'X' || tag === 'Y') this.#implementation(tag, inValue);
      else if (tag === 'I') this.#instance(inValue);
      else if (tag === 'B') this.#backReference(() => this.#path(inValue));
      else throw new NotMangled();
    });
  }

  #crate(): void {
    const disambiguator = this.#disambiguator();
    this.#print(`${this.#identifier().text}[${disambiguator.toString(16)}]`);
  }

  #item(inValue: boolean): void {
    const namespace = this.#in.next();
    if (!/[A-Za-z]/.test(namespace)) throw new NotMangled();
    this.#path(inValue);
    const disambiguator = this.#disambiguator();
    const name = this.#identifier();
    if (namespace >= 'a') this.#print(name.empty ? '' : `::${name.text}`);
    else this.#print(`::{${specialNamespace(namespace)}${name.empty ? '' : `:${name.text}`}#${disambiguator}}`);
  }

  #implementation(tag: string, inValue: boolean): void {
    if (tag !== 'Y') {
      this.#disambiguator();
      this.#silently(() => this.#path(inValue));
    }
    this.#print('<');
    this.#type();
    if (tag !== 'M') {
      this.#print(' as ');
      this.#path(false);
    }
    this.#print('>');
  }

  #instance(inValue: boolean): void {
    this.#path(inValue);
    this.#print(inValue ? '::<' : '<');
    this.#list(', ', () => this.#genericArgument());
    this.#print('>');
  }

  #genericArgument(): void {
    if (this.#in.eat('L')) this.#lifetime(this.#base62());
    else if (this.#in.eat('K')) this.#constant();
    else this.#type();
  }

  #type(): void {
    const basic = BASIC_TYPES[this.#in.peek()];
    this.#nested(() => {
      const tag = this.#in.next();
      if (basic) this.#print(basic);
      else if (tag === 'R' || tag === 'Q') this.#reference(tag);
      else if (tag === 'P' || tag === 'O') this.#pointer(tag);
      else if (tag === 'A' || tag === 'S') this.#array(tag);
      else if (tag === 'T') this.#tuple();
      else if (tag === 'F') this.#bound(() => this.#functionType());
      else if (tag === 'D') this.#traitObject();
      else if (tag === 'B') this.#backReference(() => this.#type());
      else {
        this.#in.position--;
        this.#path(false);
      }
    });
  }

  #reference(tag: string): void {
    this.#print('&');
    if (this.#in.eat('L')) {
      const lifetime = this.#base62();
      if (lifetime !== 0n) {
        this.#lifetime(lifetime);
        this.#print(' ');
      }
    }
    if (tag === 'Q') this.#print('mut ');
    this.#type();
  }

  #pointer(tag: string): void {
    this.#print(tag === 'P' ? '*const ' : '*mut ');
    this.#type();
  }

  #array(tag: string): void {
    this.#print('[');
    this.#type();
    if (tag === 'A') {
      this.#print('; ');
      this.#constant();
    }
    this.#print(']');
  }

  #tuple(): void {
    this.#print('(');
    const members = this.#list(', ', () => this.#type());
    this.#print(members === 1 ? ',)' : ')');
  }

  #functionType(): void {
    if (this.#in.eat('U')) this.#print('unsafe ');
    if (this.#in.eat('K')) this.#print(`extern "${this.#abi()}" `);
    this.#print('fn(');
    this.#list(', ', () => this.#type());
    this.#print(')');
    if (this.#in.eat('u')) return;
    this.#print(' -> ');
    this.#type();
  }

  #abi(): string {
    if (this.#in.eat('C')) return 'C';
    const { text } = this.#asciiIdentifier();
    return text.replaceAll('_', '-');
  }

  #traitObject(): void {
    this.#print('dyn ');
    this.#bound(() => this.#list(' + ', () => this.#boundTrait()));
    if (!this.#in.eat('L')) throw new NotMangled();
    const lifetime = this.#base62();
    if (lifetime === 0n) return;
    this.#print(' + ');
    this.#lifetime(lifetime);
  }

  #boundTrait(): void {
    let open = this.#openPath();
    while (this.#in.eat('p')) {
      this.#print(`${open ? ', ' : '<'}${this.#identifier().text} = `);
      open = true;
      this.#type();
    }
    if (open) this.#print('>');
  }

  /** A path after whose generic arguments more may follow; returns whether `<` is still open. */
  #openPath(): boolean {
    return this.#nested(() => {
      let open = false;
      if (this.#in.eat('B')) {
        this.#backReference(() => {
          open = this.#openPath();
        });
        return open;
      }
      if (!this.#in.eat('I')) {
        this.#path(false);
        return false;
      }
      this.#path(false);
      this.#print('<');
      this.#list(', ', () => this.#genericArgument());
      return true;
    });
  }

  #constant(): void {
    this.#nested(() => {
      if (this.#in.eat('B')) return this.#backReference(() => this.#constant());
      const tag = this.#in.next();
      if (tag === 'p') return this.#print('_');
      this.#print(`${this.#literal(tag)}: ${BASIC_TYPES[tag]}`);
    });
  }

  #literal(tag: string): string {
    if (UNSIGNED.includes(tag)) return integerText(this.#hexDigits());
    if (SIGNED.includes(tag)) return (this.#in.eat('n') ? '-' : '') + integerText(this.#hexDigits());
    if (tag === 'b') return booleanText(this.#hexDigits());
    if (tag === 'c') return characterText(this.#hexDigits());
    throw new NotMangled();
  }

  #hexDigits(): string {
    let digits = '';
    while (!this.#in.eat('_')) {
      const digit = this.#in.next();
      if (!/[0-9a-f]/.test(digit)) throw new NotMangled();
      digits += digit;
    }
    return digits;
  }

  /** Keeps the lifetimes of `for<'a, 'b>` in scope while `body` reads. */
  #bound(body: () => void): void {
    const outside = this.#boundLifetimes;
    const count = this.#in.eat('G') ? 1n + this.#base62() : 0n;
    if (count > 0n) this.#binder(count);
    body();
    this.#boundLifetimes = outside;
  }

  #binder(count: bigint): void {
    this.#print('for<');
    for (let i = 0n; i < count; i++) {
      this.#step();
      this.#boundLifetimes++;
      this.#print(i > 0n ? ', ' : '');
      this.#lifetime(1n);
    }
    this.#print('> ');
  }

  /** Lifetimes count from the innermost binder outwards; 0 is an erased one. */
  #lifetime(index: bigint): void {
    this.#print(`'${index === 0n ? '_' : this.#lifetimeName(index)}`);
  }

  #lifetimeName(index: bigint): string {
    if (index > this.#boundLifetimes) throw new NotMangled();
    const depth = this.#boundLifetimes - index;
    return depth < 26n ? String.fromCharCode(97 + Number(depth)) : `_${depth}`;
  }

  #identifier(): Identifier {
    if (!this.#in.eat('u')) return this.#asciiIdentifier();
    const { text } = this.#asciiIdentifier();
    const separator = text.lastIndexOf('_');
    return { text: decodePunycode(text.slice(0, Math.max(separator, 0)), text.slice(separator + 1)), empty: false };
  }

  #asciiIdentifier(): Identifier {
    const length = this.#in.decimal();
    this.#in.eat('_');
    return { text: this.#in.take(length), empty: length === 0 };
  }

  #disambiguator(): bigint {
    return this.#in.eat('s') ? 1n + this.#base62() : 0n;
  }

  /** `_` is 0; otherwise the base-62 digits before `_` are the value minus one. 64 bits wide. */
  #base62(): bigint {
    if (this.#in.eat('_')) return 0n;
    let value = 0;
    for (let digits = 0; digits < BASE62_SAFE_DIGITS; digits++) {
      if (this.#in.eat('_')) return BigInt(value + 1);
      value = value * 62 + base62Digit(this.#in.next());
    }
    return this.#longBase62(BigInt(value));
  }

  #longBase62(begun: bigint): bigint {
    let value = begun;
    while (!this.#in.eat('_')) value = BigInt.asUintN(64, value * 62n + BigInt(base62Digit(this.#in.next())));
    return BigInt.asUintN(64, value + 1n);
  }

  #backReference(read: () => void): void {
    const target = this.#base62();
    if (this.#silent) return;
    const after = this.#in.position;
    this.#in.position = Number(target);
    read();
    this.#in.position = after;
  }

  #list(separator: string, readOne: () => void): number {
    let count = 0;
    for (; !this.#in.eat('E'); count++) {
      if (count > 0) this.#print(separator);
      readOne();
    }
    return count;
  }

  #silently(read: () => void): void {
    const before = this.#silent;
    this.#silent = true;
    read();
    this.#silent = before;
  }

  #nested<T>(read: () => T): T {
    this.#step();
    if (++this.#depth > MAX_DEPTH) throw new NotMangled();
    const result = read();
    this.#depth--;
    return result;
  }

  #step(): void {
    if (++this.#steps > MAX_STEPS) throw new TooLong();
  }

  #print(text: string): void {
    if (!this.#silent) this.#out.print(text);
  }
}

function specialNamespace(namespace: string): string {
  if (namespace === 'C') return 'closure';
  return namespace === 'S' ? 'shim' : namespace;
}

function integerText(hex: string): string {
  if (hex === '') throw new NotMangled();
  return hex.length > 16 ? `0x${hex}` : BigInt(`0x${hex}`).toString();
}

function booleanText(hex: string): string {
  if (hex === '0') return 'false';
  if (hex === '1') return 'true';
  throw new NotMangled();
}

const CHARACTER_ESCAPES: Record<number, string> = { 9: '\\t', 10: '\\n', 13: '\\r', 39: "\\'", 92: '\\\\' };

function characterText(hex: string): string {
  if (hex === '' || hex.length > 8) throw new NotMangled();
  const code = Number.parseInt(hex, 16);
  const plain = code > 0x20 && code < 0x7e ? String.fromCharCode(code) : `\\u{${code.toString(16)}}`;
  return `'${CHARACTER_ESCAPES[code] ?? plain}'`;
}

function base62Digit(char: string): number {
  if (isDigit(char)) return Number(char);
  const code = char.charCodeAt(0);
  if (char >= 'a' && char <= 'z') return code - 97 + 10;
  if (char >= 'A' && char <= 'Z') return code - 65 + 36;
  throw new NotMangled();
}
