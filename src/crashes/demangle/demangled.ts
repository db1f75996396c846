/** Why a possibly mangled name is left as it is. */
export type DemangleNote =
  /** Its demangled form is longer than 4 KB, or the name is longer than c++filt accepts. */
  | 'too long'
  /** It needs more than 50 ms of processor time. */
  | 'took too long'
  /** The demangler fails on it. */
  | 'failed'
  /** The demangler can't be started now; a later request may succeed. */
  | 'unavailable';

export interface Demangled {
  name: string;
  /** The name as c++filt prints it, or unchanged if it is not mangled or `note` says why. */
  demangled: string;
  note: DemangleNote | null;
}
